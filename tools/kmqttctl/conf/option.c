// SPDX-License-Identifier: GPL-2.0
/*
 * The options of mosquitto.conf, of Mosquitto 2.0 and 2.1, and what becomes of
 * them. Documentation/mosquitto-options.rst is made from this table.
 */
#include "option.h"

#include <stdio.h>
#include <string.h>

#include "../ctl.h"
#include "agent.h"
#include "apply.h"
#include "where.h"

/* Settings of the broker are spelled kmqtt_max_connections. */
#define OWN	"kmqtt_"

/* What MQTT has room for. */
#define PAYLOAD_UNLIMITED	268435455

#define STRING_OF(_x)	#_x
#define STRING(_x)	STRING_OF(_x)

#define U32_UNLIMITED	"4294967295"
#define S64_UNLIMITED	"9223372036854775807"

/* An option that is a setting of the broker. */
#define SETTING(_name, _type, _setting, _text)				\
	{								\
		.name = _name,						\
		.type = OPTION_ ## _type,				\
		.max = INT32_MAX,					\
		.setting = _setting,					\
		.text = _text,						\
	}

/* The same, and 0 and less are for no limit. */
#define LIMIT(_name, _max, _setting, _unlimited, _text)			\
	{								\
		.name = _name,						\
		.type = OPTION_INT,					\
		.min = INT32_MIN,					\
		.max = _max,						\
		.setting = _setting,					\
		.unlimited = _unlimited,				\
		.text = _text,						\
	}

/* An option that listeners have. */
#define LISTENER(_name, _type, _min, _max, _attr, _text)		\
	{								\
		.name = _name,						\
		.type = OPTION_ ## _type,				\
		.scope = OPTION_LISTENER,				\
		.min = _min,						\
		.max = _max,						\
		.attr = _attr,						\
		.apply = apply_listener_attr,				\
		.text = _text,						\
	}

/* The same, of our own, and 0 is for no limit. */
#define RATE(_name, _type, _attr, _text)				\
	LISTENER(_name, _type, 0, UINT32_MAX, _attr, _text)

#define SPECIAL(_name, _type, _scope, _apply, _text)			\
	{								\
		.name = _name,						\
		.type = OPTION_ ## _type,				\
		.scope = OPTION_ ## _scope,				\
		.apply = _apply,					\
		.text = _text,						\
	}

#define VOID(_name, _type, _scope, _text)				\
	{								\
		.name = _name,						\
		.type = OPTION_ ## _type,				\
		.scope = OPTION_ ## _scope,				\
		.fate = OPTION_VOID,					\
		.min = INT32_MIN,					\
		.max = INT32_MAX,					\
		.text = _text,						\
	}

#define REFUSED(_name, _scope, _text)					\
	{								\
		.name = _name,						\
		.scope = OPTION_ ## _scope,				\
		.fate = OPTION_REFUSED,					\
		.text = _text,						\
	}

#define UNLESS(_name, _type, _scope, _fine, _text)			\
	{								\
		.name = _name,						\
		.type = OPTION_ ## _type,				\
		.scope = OPTION_ ## _scope,				\
		.fate = OPTION_REFUSED,					\
		.min = INT32_MIN,					\
		.max = INT32_MAX,					\
		.fine = _fine,						\
		.text = _text,						\
	}

/* An option of what happens to a connection before MQTT begins. */
#define AGENT_SPECIAL(_name, _type, _scope, _agent, _apply, _max, _text)	\
	{								\
		.name = _name,						\
		.type = OPTION_ ## _type,				\
		.scope = OPTION_ ## _scope,				\
		.agent = OPTION_ ## _agent,				\
		.min = 1,						\
		.max = _max,						\
		.apply = _apply,					\
		.text = _text,						\
	}

#define AGENT(_name, _type, _agent, _text)				\
	AGENT_SPECIAL(_name, _type, LISTENER, _agent, agent_apply, 0, _text)

#define AGENT_INT(_name, _max, _agent, _text)				\
	AGENT_SPECIAL(_name, INT, LISTENER, _agent, agent_apply, _max, _text)

#define BRIDGE(_name)	REFUSED(_name, BRIDGE, NO_BRIDGE)
#define ENGINE(_name)	REFUSED(_name, LISTENER, NO_ENGINE)
#define NO_LOG(_name, _type)	VOID(_name, _type, GLOBAL, LOGS)

#define NO_BRIDGE	"there are no bridges"
#define NO_ENGINE	"private keys are in files, not in engines of OpenSSL"
#define NO_PLUGIN	"no plugins; there are password_file and acl_file"
#define NO_DISK		"nothing is stored on disk"
#define NO_HTTP		"there is no HTTP but for WebSockets"
#define LOGS		"the broker keeps no log; kmqttctl monitor tells what happens"
#define PROCESS		"the broker is no process"
#define OLD		"Mosquitto does not use it any more either"

const struct option options[] = {
	SPECIAL("accept_protocol_versions", TEXT, LISTENER,
		apply_protocol_versions,
		"versions of MQTT that clients may speak: 3 is 3.1, 4 is 3.1.1"),
	SPECIAL("acl_file", TEXT, SECURITY, apply_acl_file,
		"the rules are read from there, and what none of them allows is denied"),
	BRIDGE("address"),
	BRIDGE("addresses"),
	SPECIAL("allow_anonymous", BOOL, SECURITY, apply_allow_anonymous,
		"who gives no user name may come in; if not set, at loopback addresses"),
	SPECIAL("allow_duplicate_messages", BOOL, GLOBAL, NULL,
		"overlapping subscriptions give one copy, which both values allow"),
	SPECIAL("allow_zero_length_clientid", BOOL, SECURITY,
		apply_zero_length_clientid,
		"clients may leave their identifier to the broker"),
	REFUSED("auth_opt_*", SECURITY, NO_PLUGIN),
	REFUSED("auth_plugin", SECURITY, NO_PLUGIN),
	REFUSED("auth_plugin_deny_special_chars", SECURITY, NO_PLUGIN),
	SPECIAL("auto_id_prefix", TEXT, SECURITY, apply_auto_id_prefix,
		"what these identifiers begin with, up to 50 bytes; if not set, kmqtt-"),
	VOID("autosave_interval", INT, GLOBAL, NO_DISK),
	VOID("autosave_on_changes", BOOL, GLOBAL, NO_DISK),
	SPECIAL("bind_address", TEXT, GLOBAL, where_bind_address,
		"the default listener listens there only"),
	SPECIAL("bind_interface", TEXT, LISTENER, where_bind_interface,
		"the listener has the first addresses of this interface, of IPv4 and IPv6"),
	BRIDGE("bridge_alpn"),
	BRIDGE("bridge_attempt_unsubscribe"),
	BRIDGE("bridge_bind_address"),
	BRIDGE("bridge_cafile"),
	BRIDGE("bridge_capath"),
	BRIDGE("bridge_certfile"),
	BRIDGE("bridge_ciphers"),
	BRIDGE("bridge_ciphers_tls1.3"),
	BRIDGE("bridge_identity"),
	BRIDGE("bridge_insecure"),
	BRIDGE("bridge_keyfile"),
	BRIDGE("bridge_max_packet_size"),
	BRIDGE("bridge_max_topic_alias"),
	BRIDGE("bridge_outgoing_retain"),
	BRIDGE("bridge_protocol_version"),
	BRIDGE("bridge_psk"),
	BRIDGE("bridge_receive_maximum"),
	BRIDGE("bridge_reload_type"),
	BRIDGE("bridge_require_ocsp"),
	BRIDGE("bridge_session_expiry_interval"),
	BRIDGE("bridge_tcp_keepalive"),
	BRIDGE("bridge_tcp_user_timeout"),
	BRIDGE("bridge_tls_use_os_certs"),
	BRIDGE("bridge_tls_version"),
	AGENT("cafile", FILE, CERTIFICATE,
	      "authorities whose certificates of clients are trusted"),
	AGENT("capath", DIRECTORY, CERTIFICATE,
	      "the same, with a file for each authority, as openssl rehash names them"),
	AGENT("certfile", FILE, AGENT,
	      "the listener speaks TLS, with the certificate that is there"),
	SETTING("check_retain_source", BOOL, "check-retain-source",
		"a retained message is delivered while its publisher may still publish it"),
	AGENT("ciphers", TEXT, TLS,
	      "cipher suites of TLS 1.2, with : between them"),
	AGENT("ciphers_tls1.3", TEXT, TLS,
	      "cipher suites of TLS 1.3, with : between them"),
	BRIDGE("cleansession"),
	BRIDGE("clientid"),
	SETTING("clientid_prefixes", TEXT, "required-client-id-prefix",
		"client identifiers have to begin with this, the rest of the line"),
	BRIDGE("connection"),
	NO_LOG("connection_messages", BOOL),
	AGENT("crlfile", FILE, CERTIFICATE,
	      "certificates of clients that are revoked"),
	AGENT("dhparamfile", FILE, CERTIFICATE,
	      "parameters of Diffie-Hellman key exchange in TLS 1.2"),
	AGENT("disable_client_cert_date_checks", BOOL, CERTIFICATE,
	      "certificates of clients count before and after their time, too"),
	UNLESS("enable_control_api", BOOL, GLOBAL, "false",
	       "the broker is controlled by kmqttctl, not by messages"),
	AGENT_INT("enable_proxy_protocol", 2, AGENT,
		  "who the client is stands in a PROXY header of this version, 1 or 2"),
	LIMIT("global_max_clients", INT32_MAX, "max-sessions", U32_UNLIMITED,
	      "sessions, with and without a connection"),
	LIMIT("global_max_connections", INT32_MAX, "max-connections",
	      U32_UNLIMITED, "connections at a time"),
	REFUSED("global_plugin", GLOBAL, NO_PLUGIN),
	REFUSED("http_dir", LISTENER, NO_HTTP),
	BRIDGE("idle_timeout"),
	SPECIAL("include_dir", TEXT, GLOBAL, apply_include_dir,
		"all *.conf in that directory are read here; in the main file only"),
	BRIDGE("keepalive_interval"),
	AGENT("keyfile", FILE, AGENT, "the private key of certfile"),
	SPECIAL("listener", INT, GLOBAL, where_listener,
		"a port and maybe an address to listen at; or 0 and the path of a Unix socket"),
	LISTENER("listener_allow_anonymous", BOOL, 0, 1, CONF_ANONYMOUS,
		 "as allow_anonymous, and goes before it"),
	SPECIAL("listener_auto_id_prefix", TEXT, LISTENER,
		apply_listener_auto_id_prefix,
		"as auto_id_prefix, and goes before it"),
	BRIDGE("local_cleansession"),
	BRIDGE("local_clientid"),
	BRIDGE("local_password"),
	BRIDGE("local_username"),
	{
		.name = "log_dest",
		.type = OPTION_WORD,
		.fate = OPTION_VOID,
		.apply = apply_log_dest,
		.text = LOGS,
	},
	NO_LOG("log_facility", INT),
	NO_LOG("log_timestamp", BOOL),
	NO_LOG("log_timestamp_format", TEXT),
	NO_LOG("log_type", WORD),
	LISTENER("max_connections", INT, INT32_MIN, INT32_MAX,
		 CONF_MAX_CONNECTIONS,
		 "connections at a time by this listener; 0 for no limit of its own"),
	LIMIT("max_inflight_bytes", INT32_MAX, "max-inflight-bytes",
	      S64_UNLIMITED,
	      "bytes of messages that a client has not acknowledged"),
	LIMIT("max_inflight_messages", INT32_MAX, "max-inflight", "65535",
	      "messages that a client has not acknowledged"),
	SETTING("max_keepalive", INT, "max-keepalive",
		"longest keep-alive, in seconds; 0 for no maximum"),
	SETTING("max_packet_size", INT, "max-packet-size",
		"largest packet from a client, in bytes"),
	LISTENER("max_qos", INT, 0, 2, CONF_MAX_QOS,
		 "highest QoS of messages and subscriptions"),
	LIMIT("max_queued_bytes", INT32_MAX, "max-queued-bytes",
	      S64_UNLIMITED, "bytes that wait or are in flight, for each session"),
	LIMIT("max_queued_messages", INT32_MAX, "max-queued-messages",
	      U32_UNLIMITED, "messages that wait, for each session"),
	LISTENER("max_topic_alias", INT, 0, 65535, CONF_TOPIC_ALIAS_MAX,
		 "topic aliases that a client may use"),
	LISTENER("max_topic_alias_broker", INT, 0, 65535,
		 CONF_TOPIC_ALIAS_MAX_OUT,
		 "topic aliases that the broker uses towards a client, at most 64"),
	LISTENER("maximum_qos", INT, 0, 2, CONF_MAX_QOS, "as max_qos"),
	LIMIT("memory_limit", INT64_MAX, "max-memory", S64_UNLIMITED,
	      "bytes that sessions, subscriptions and messages may use; at least 65536"),
	LIMIT("message_size_limit", PAYLOAD_UNLIMITED, "max-payload-size",
	      STRING(PAYLOAD_UNLIMITED),
	      "bytes of a payload; a message with more is acknowledged and dropped"),
	REFUSED("mount_point", LISTENER,
		"a message is laid out once for all who get it, so topics are the same for all"),
	BRIDGE("notification_topic"),
	BRIDGE("notifications"),
	BRIDGE("notifications_local_only"),
	VOID("packet_buffer_size", INT, GLOBAL,
	     "a waiting connection has no buffer whose size could be chosen"),
	BRIDGE("password"),
	SPECIAL("password_file", TEXT, SECURITY, apply_password_file,
		"who gives a user name must be in there, with that password"),
	SPECIAL("per_listener_settings", BOOL, GLOBAL, apply_per_listener,
		"options of either are about the listener that they stand behind"),
	UNLESS("persistence", BOOL, GLOBAL, "false", NO_DISK),
	VOID("persistence_file", TEXT, GLOBAL, NO_DISK),
	VOID("persistence_location", TEXT, GLOBAL, NO_DISK),
	SETTING("persistent_client_expiration", TIME, "max-session-expiry",
		"how long sessions outlive connections, as 12h; also s, d, w, m, y"),
	VOID("pid_file", TEXT, GLOBAL, PROCESS),
	REFUSED("plugin", SECURITY, NO_PLUGIN),
	REFUSED("plugin_load", GLOBAL, NO_PLUGIN),
	REFUSED("plugin_opt_*", SECURITY, NO_PLUGIN),
	REFUSED("plugin_use", LISTENER, NO_PLUGIN),
	SPECIAL("port", INT, GLOBAL, where_port,
		"the default listener listens on this port"),
	AGENT_SPECIAL("protocol", WORD, LISTENER, AGENT, agent_apply_protocol,
		      0, "mqtt, or websockets for MQTT in WebSocket frames"),
	AGENT("proxy_protocol_v2_require_tls", BOOL, AGENT,
	      "clients get in only if the PROXY header says that they speak TLS"),
	AGENT_SPECIAL("psk_file", FILE, SECURITY, AGENT, agent_apply_psk_file,
		      0, "keys of TLS: for the listener it stands behind, or all with psk_hint"),
	AGENT("psk_hint", TEXT, AGENT,
	      "the listener speaks TLS with keys of psk_file, and tells clients this"),
	SETTING("queue_qos0_messages", BOOL, "queue-qos0",
		"messages of QoS 0 wait for clients that are not there"),
	BRIDGE("remote_clientid"),
	BRIDGE("remote_password"),
	BRIDGE("remote_username"),
	AGENT("require_certificate", BOOL, CERTIFICATE,
	      "only clients with a certificate that is trusted get in"),
	BRIDGE("restart_timeout"),
	SETTING("retain_available", BOOL, "retain-available",
		"clients may publish retained messages"),
	{
		.name = "retain_expiry_interval",
		.type = OPTION_INT,
		.max = INT32_MAX,
		.text = "expired retained messages go within minutes, which all values allow",
	},
	UNLESS("retained_persistence", BOOL, GLOBAL, "false", NO_DISK),
	VOID("retry_interval", ANY, GLOBAL, OLD),
	BRIDGE("round_robin"),
	UNLESS("set_tcp_nodelay", BOOL, GLOBAL, "true",
	       "TCP_NODELAY is set for all connections"),
	SPECIAL("socket_domain", WORD, LISTENER, where_socket_domain,
		"the listener takes addresses of ipv4 or of ipv6 only"),
	BRIDGE("start_type"),
	SETTING("sys_interval", INT, "sys-interval",
		"seconds between updates of $SYS topics; 0 for none"),
	BRIDGE("threshold"),
	ENGINE("tls_engine"),
	ENGINE("tls_engine_kpass_sha1"),
	UNLESS("tls_keyform", WORD, LISTENER, "pem", NO_ENGINE),
	AGENT_SPECIAL("tls_version", WORD, LISTENER, TLS, agent_apply_version,
		      0, "the oldest version of TLS: tlsv1.2 or tlsv1.3"),
	BRIDGE("topic"),
	BRIDGE("try_private"),
	SETTING("upgrade_outgoing_qos", BOOL, "upgrade-qos",
		"a message has the QoS of the subscription, even if its own is lower"),
	AGENT("use_identity_as_username", BOOL, TLS,
	      "a client's user name is the CN of its certificate, or the identity of its key"),
	AGENT("use_subject_as_username", BOOL, CERTIFICATE,
	      "a client's user name is the subject of its certificate"),
	LISTENER("use_username_as_clientid", BOOL, 0, 1,
		 CONF_USERNAME_AS_CLIENT_ID,
		 "a client's identifier is its user name, whatever it says"),
	VOID("user", TEXT, GLOBAL, PROCESS),
	BRIDGE("username"),
	VOID("websockets_headers_size", INT, GLOBAL,
	     "headers of requests have room for what browsers send"),
	NO_LOG("websockets_log_level", INT),
	AGENT("websockets_origin", TEXT, WEBSOCKETS,
	      "an origin whose pages may connect, all of them if there is none; each has a line"),
	/* Of this project, as are the settings of the broker. */
	SPECIAL("kmqtt_local_listeners", BOOL, GLOBAL, apply_local_listeners,
		"true: if nothing else is said, listen at 127.0.0.1 and ::1"),
	{
		.name = "kmqtt_vsock_listener",
		.type = OPTION_INT,
		.min = 1,
		.max = UINT32_MAX - 1,
		.apply = where_vsock_listener,
		.text = "a port of vsock and maybe a context identifier to listen at",
	},
	SPECIAL("kmqtt_mptcp", BOOL, LISTENER, where_mptcp,
		"the listener takes Multipath TCP, too"),
	AGENT_INT("kmqtt_handshake_timeout", 3600, HANDSHAKE,
		  "seconds that all may take that comes before MQTT; 10 if not set"),
	AGENT_INT("kmqtt_max_handshakes", 65536, HANDSHAKE,
		  "connections of the listener in that state; 1000 if not set"),
	AGENT_INT("kmqtt_max_handshakes_per_source", 65536, HANDSHAKE,
		  "connections of one address in that state; 100 if not set"),
	RATE("kmqtt_connect_rate", INT, CONF_CONNECT_RATE,
	     "connections that a listener accepts a second"),
	RATE("kmqtt_message_rate", INT, CONF_MESSAGE_RATE,
	     "messages a second from all clients of a listener"),
	RATE("kmqtt_byte_rate", BYTES, CONF_BYTE_RATE,
	     "bytes a second from all clients of a listener"),
	RATE("kmqtt_client_message_rate", INT, CONF_CLIENT_MESSAGE_RATE,
	     "messages a second from each client of a listener"),
	RATE("kmqtt_client_byte_rate", BYTES, CONF_CLIENT_BYTE_RATE,
	     "bytes a second from each client of a listener"),
	{ .name = NULL }
};

/**
 * option_is_text() - is its value all that is left of the line?
 * @option: an option
 *
 * Return: true if it is.
 */
bool option_is_text(const struct option *option)
{
	return option->type == OPTION_TEXT || option->type == OPTION_FILE ||
	       option->type == OPTION_DIRECTORY;
}

/**
 * option_find() - find an option by its name
 * @name: the name
 *
 * Return: the option or NULL.
 */
const struct option *option_find(const char *name)
{
	const struct option *option;
	size_t len;

	for (option = options; option->name; option++) {
		len = strlen(option->name);
		if (option->name[len - 1] == '*' ?
		    !strncmp(name, option->name, len - 1) :
		    !strcmp(name, option->name))
			return option;
	}
	return NULL;
}

/**
 * option_of_setting() - how Mosquitto calls a setting
 * @setting: of the broker
 *
 * Return: the option or NULL.
 */
const struct option *option_of_setting(const char *setting)
{
	const struct option *option;

	for (option = options; option->name; option++)
		if (option->setting && !strcmp(option->setting, setting))
			return option;
	return NULL;
}

/**
 * option_setting() - the setting that an option stands for
 * @option: an option
 *
 * Return: the setting, or NULL if it is something else.
 */
const struct field *option_setting(const struct option *option)
{
	if (!option->setting)
		return NULL;
	return field_by_name(broker_noun.fields, option->setting);
}

/**
 * option_own() - find a setting by its name as an option of our own
 * @name: kmqtt_ and the setting's name with _ for -
 *
 * Return: the setting or NULL.
 */
const struct field *option_own(const char *name)
{
	char setting[64];
	char *p;

	if (strncmp(name, OWN, strlen(OWN)) ||
	    strlen(name) >= strlen(OWN) + sizeof(setting))
		return NULL;
	snprintf(setting, sizeof(setting), "%s", name + strlen(OWN));
	for (p = setting; *p; p++) {
		if (*p == '-')
			return NULL;
		if (*p == '_')
			*p = '-';
	}
	return field_by_name(broker_noun.fields, setting);
}
