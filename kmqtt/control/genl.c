// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/kmqtt.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "genl.h"

#include <uapi/linux/kmqtt.h>

/* Integer value ranges */
static const struct netlink_range_validation kmqtt_a_broker_max_packet_size_range = {
	.min	= 1024ULL,
	.max	= 268435460ULL,
};

static const struct netlink_range_validation kmqtt_a_broker_max_inflight_range = {
	.min	= 1ULL,
	.max	= 65535ULL,
};

static const struct netlink_range_validation kmqtt_a_broker_max_queued_bytes_range = {
	.max	= S64_MAX,
};

static const struct netlink_range_validation kmqtt_a_broker_max_memory_range = {
	.min	= 65536ULL,
	.max	= S64_MAX,
};

static const struct netlink_range_validation kmqtt_a_broker_sys_interval_range = {
	.max	= 65535ULL,
};

static const struct netlink_range_validation kmqtt_a_broker_max_bans_range = {
	.max	= 1048576ULL,
};

static const struct netlink_range_validation kmqtt_a_broker_flapping_window_range = {
	.min	= 1ULL,
	.max	= 86400ULL,
};

static const struct netlink_range_validation kmqtt_a_broker_max_payload_size_range = {
	.max	= 268435455ULL,
};

static const struct netlink_range_validation kmqtt_a_broker_max_inflight_bytes_range = {
	.min	= 1ULL,
	.max	= S64_MAX,
};

static const struct netlink_range_validation kmqtt_a_user_iterations_range = {
	.min	= 4096ULL,
	.max	= 10000000ULL,
};

static const struct netlink_range_validation kmqtt_a_user_password_iterations_range = {
	.min	= 1ULL,
	.max	= 10000000ULL,
};

/* KMQTT_CMD_BROKER_SET - do */
static const struct nla_policy kmqtt_broker_set_nl_policy[KMQTT_A_BROKER_REQUIRED_CLIENT_ID_PREFIX + 1] = {
	[KMQTT_A_BROKER_MAX_CONNECTIONS] = { .type = NLA_U32, },
	[KMQTT_A_BROKER_MAX_CONNECTIONS_PER_SOURCE] = { .type = NLA_U32, },
	[KMQTT_A_BROKER_CONNECT_TIMEOUT] = NLA_POLICY_RANGE(NLA_U32, 1, 3600),
	[KMQTT_A_BROKER_MAX_PACKET_SIZE] = NLA_POLICY_FULL_RANGE(NLA_U32, &kmqtt_a_broker_max_packet_size_range),
	[KMQTT_A_BROKER_MAX_INFLIGHT] = NLA_POLICY_FULL_RANGE(NLA_U32, &kmqtt_a_broker_max_inflight_range),
	[KMQTT_A_BROKER_MAX_QUEUED_MESSAGES] = { .type = NLA_U32, },
	[KMQTT_A_BROKER_MAX_QUEUED_BYTES] = NLA_POLICY_FULL_RANGE(NLA_UINT, &kmqtt_a_broker_max_queued_bytes_range),
	[KMQTT_A_BROKER_MAX_MEMORY] = NLA_POLICY_FULL_RANGE(NLA_UINT, &kmqtt_a_broker_max_memory_range),
	[KMQTT_A_BROKER_MAX_SESSIONS] = { .type = NLA_U32, },
	[KMQTT_A_BROKER_MAX_RETAINED] = { .type = NLA_U32, },
	[KMQTT_A_BROKER_MAX_SUBSCRIPTIONS] = { .type = NLA_U32, },
	[KMQTT_A_BROKER_BH_PATH] = NLA_POLICY_MAX(NLA_U8, 1),
	[KMQTT_A_BROKER_BACKPRESSURE] = NLA_POLICY_MAX(NLA_U8, 1),
	[KMQTT_A_BROKER_MAX_SESSION_EXPIRY] = { .type = NLA_U32, },
	[KMQTT_A_BROKER_RECEIVE_MAX] = NLA_POLICY_MIN(NLA_U16, 1),
	[KMQTT_A_BROKER_TOPIC_ALIAS_MAX] = { .type = NLA_U16, },
	[KMQTT_A_BROKER_MAX_KEEPALIVE] = { .type = NLA_U16, },
	[KMQTT_A_BROKER_MAX_QOS] = NLA_POLICY_MAX(NLA_U8, 2),
	[KMQTT_A_BROKER_RETAIN_AVAILABLE] = NLA_POLICY_MAX(NLA_U8, 1),
	[KMQTT_A_BROKER_WILDCARD_AVAILABLE] = NLA_POLICY_MAX(NLA_U8, 1),
	[KMQTT_A_BROKER_SHARED_AVAILABLE] = NLA_POLICY_MAX(NLA_U8, 1),
	[KMQTT_A_BROKER_SUBSCRIPTION_IDS_AVAILABLE] = NLA_POLICY_MAX(NLA_U8, 1),
	[KMQTT_A_BROKER_VALIDATE_PAYLOAD] = NLA_POLICY_MAX(NLA_U8, 1),
	[KMQTT_A_BROKER_REDIRECT] = NLA_POLICY_MAX(NLA_U8, 2),
	[KMQTT_A_BROKER_RESPONSE_INFORMATION] = { .type = NLA_STRING, .len = KMQTT_TEXT_MAX, },
	[KMQTT_A_BROKER_SERVER_REFERENCE] = { .type = NLA_STRING, .len = KMQTT_TEXT_MAX, },
	[KMQTT_A_BROKER_SYS_INTERVAL] = NLA_POLICY_FULL_RANGE(NLA_U32, &kmqtt_a_broker_sys_interval_range),
	[KMQTT_A_BROKER_MAX_BANS] = NLA_POLICY_FULL_RANGE(NLA_U32, &kmqtt_a_broker_max_bans_range),
	[KMQTT_A_BROKER_FLAPPING_MAX] = { .type = NLA_U32, },
	[KMQTT_A_BROKER_FLAPPING_WINDOW] = NLA_POLICY_FULL_RANGE(NLA_U32, &kmqtt_a_broker_flapping_window_range),
	[KMQTT_A_BROKER_FLAPPING_BAN] = NLA_POLICY_MIN(NLA_U32, 1),
	[KMQTT_A_BROKER_MAX_PAYLOAD_SIZE] = NLA_POLICY_FULL_RANGE(NLA_U32, &kmqtt_a_broker_max_payload_size_range),
	[KMQTT_A_BROKER_QUEUE_QOS0] = NLA_POLICY_MAX(NLA_U8, 1),
	[KMQTT_A_BROKER_UPGRADE_QOS] = NLA_POLICY_MAX(NLA_U8, 1),
	[KMQTT_A_BROKER_MAX_INFLIGHT_BYTES] = NLA_POLICY_FULL_RANGE(NLA_UINT, &kmqtt_a_broker_max_inflight_bytes_range),
	[KMQTT_A_BROKER_CHECK_RETAIN_SOURCE] = NLA_POLICY_MAX(NLA_U8, 1),
	[KMQTT_A_BROKER_REQUIRED_CLIENT_ID_PREFIX] = { .type = NLA_STRING, .len = KMQTT_TEXT_MAX, },
};

/* KMQTT_CMD_LISTENER_ADD - do */
static const struct nla_policy kmqtt_listener_add_nl_policy[KMQTT_A_LISTENER_PROTOCOL_VERSIONS + 1] = {
	[KMQTT_A_LISTENER_ADDR4] = { .type = NLA_U32, },
	[KMQTT_A_LISTENER_ADDR6] = NLA_POLICY_EXACT_LEN(16),
	[KMQTT_A_LISTENER_IFINDEX] = { .type = NLA_U32, },
	[KMQTT_A_LISTENER_PORT] = { .type = NLA_U16, },
	[KMQTT_A_LISTENER_REALM] = { .type = NLA_U32, },
	[KMQTT_A_LISTENER_ANONYMOUS] = NLA_POLICY_MAX(NLA_U8, 1),
	[KMQTT_A_LISTENER_MAX_CONNECTIONS] = { .type = NLA_U32, },
	[KMQTT_A_LISTENER_MAX_QOS] = NLA_POLICY_MAX(NLA_U8, 2),
	[KMQTT_A_LISTENER_TOPIC_ALIAS_MAX] = { .type = NLA_U16, },
	[KMQTT_A_LISTENER_USERNAME_AS_CLIENT_ID] = NLA_POLICY_MAX(NLA_U8, 1),
	[KMQTT_A_LISTENER_CONNECT_RATE] = { .type = NLA_U32, },
	[KMQTT_A_LISTENER_MESSAGE_RATE] = { .type = NLA_U32, },
	[KMQTT_A_LISTENER_BYTE_RATE] = { .type = NLA_U32, },
	[KMQTT_A_LISTENER_CLIENT_MESSAGE_RATE] = { .type = NLA_U32, },
	[KMQTT_A_LISTENER_CLIENT_BYTE_RATE] = { .type = NLA_U32, },
	[KMQTT_A_LISTENER_ASSIGN_CLIENT_ID] = NLA_POLICY_MAX(NLA_U8, 1),
	[KMQTT_A_LISTENER_CLIENT_ID_PREFIX] = { .type = NLA_STRING, .len = KMQTT_CLIENT_ID_PREFIX_MAX, },
	[KMQTT_A_LISTENER_TOPIC_ALIAS_MAX_OUT] = { .type = NLA_U16, },
	[KMQTT_A_LISTENER_PROTOCOL_VERSIONS] = NLA_POLICY_MASK(NLA_U8, 0x7),
	[KMQTT_A_LISTENER_TRANSPORT] = NLA_POLICY_MAX(NLA_U8, 3),
	[KMQTT_A_LISTENER_PATH] = { .type = NLA_STRING, .len = KMQTT_PATH_MAX, },
	[KMQTT_A_LISTENER_CID] = { .type = NLA_U32, },
	[KMQTT_A_LISTENER_VSOCK_PORT] = { .type = NLA_U32, },
	[KMQTT_A_LISTENER_AGENT] = { .type = NLA_STRING, .len = KMQTT_AGENT_MAX, },
};

/* KMQTT_CMD_LISTENER_DEL - do */
static const struct nla_policy kmqtt_listener_del_nl_policy[KMQTT_A_LISTENER_AGENT + 1] = {
	[KMQTT_A_LISTENER_ID] = { .type = NLA_U32, },
	[KMQTT_A_LISTENER_ADDR4] = { .type = NLA_U32, },
	[KMQTT_A_LISTENER_ADDR6] = NLA_POLICY_EXACT_LEN(16),
	[KMQTT_A_LISTENER_IFINDEX] = { .type = NLA_U32, },
	[KMQTT_A_LISTENER_PORT] = { .type = NLA_U16, },
	[KMQTT_A_LISTENER_KICK] = { .type = NLA_FLAG, },
	[KMQTT_A_LISTENER_TRANSPORT] = NLA_POLICY_MAX(NLA_U8, 3),
	[KMQTT_A_LISTENER_PATH] = { .type = NLA_STRING, .len = KMQTT_PATH_MAX, },
	[KMQTT_A_LISTENER_CID] = { .type = NLA_U32, },
	[KMQTT_A_LISTENER_VSOCK_PORT] = { .type = NLA_U32, },
	[KMQTT_A_LISTENER_AGENT] = { .type = NLA_STRING, .len = KMQTT_AGENT_MAX, },
};

/* KMQTT_CMD_CLIENT_GET - do */
static const struct nla_policy kmqtt_client_get_nl_policy[KMQTT_A_CLIENT_CLIENT_ID + 1] = {
	[KMQTT_A_CLIENT_CLIENT_ID] = { .type = NLA_STRING, .len = KMQTT_CLIENT_ID_MAX, },
};

/* KMQTT_CMD_CLIENT_KICK - do */
static const struct nla_policy kmqtt_client_kick_nl_policy[KMQTT_A_CLIENT_SERVER_REFERENCE + 1] = {
	[KMQTT_A_CLIENT_CONNECTION] = { .type = NLA_UINT, },
	[KMQTT_A_CLIENT_CLIENT_ID] = { .type = NLA_STRING, .len = KMQTT_CLIENT_ID_MAX, },
	[KMQTT_A_CLIENT_REASON] = NLA_POLICY_RANGE(NLA_U32, 128, 255),
	[KMQTT_A_CLIENT_SERVER_REFERENCE] = { .type = NLA_STRING, .len = KMQTT_TEXT_MAX, },
};

/* KMQTT_CMD_SESSION_GET - do */
static const struct nla_policy kmqtt_session_get_nl_policy[KMQTT_A_SESSION_CLIENT_ID + 1] = {
	[KMQTT_A_SESSION_CLIENT_ID] = { .type = NLA_STRING, .len = KMQTT_CLIENT_ID_MAX, },
};

/* KMQTT_CMD_SESSION_DEL - do */
static const struct nla_policy kmqtt_session_del_nl_policy[KMQTT_A_SESSION_CLIENT_ID + 1] = {
	[KMQTT_A_SESSION_CLIENT_ID] = { .type = NLA_STRING, .len = KMQTT_CLIENT_ID_MAX, },
};

/* KMQTT_CMD_SUBSCRIPTION_GET - dump */
static const struct nla_policy kmqtt_subscription_get_nl_policy[KMQTT_A_SUBSCRIPTION_CLIENT_ID + 1] = {
	[KMQTT_A_SUBSCRIPTION_CLIENT_ID] = { .type = NLA_STRING, .len = KMQTT_CLIENT_ID_MAX, },
};

/* KMQTT_CMD_RETAINED_GET - dump */
static const struct nla_policy kmqtt_retained_get_nl_policy[KMQTT_A_RETAINED_PAYLOAD_MAX + 1] = {
	[KMQTT_A_RETAINED_FILTER] = { .type = NLA_STRING, },
	[KMQTT_A_RETAINED_PAYLOAD_MAX] = NLA_POLICY_MAX(NLA_U32, KMQTT_SHOWN_PAYLOAD_MAX),
};

/* KMQTT_CMD_RETAINED_DEL - do */
static const struct nla_policy kmqtt_retained_del_nl_policy[KMQTT_A_RETAINED_ALL + 1] = {
	[KMQTT_A_RETAINED_TOPIC] = { .type = NLA_STRING, },
	[KMQTT_A_RETAINED_FILTER] = { .type = NLA_STRING, },
	[KMQTT_A_RETAINED_ALL] = { .type = NLA_FLAG, },
};

/* KMQTT_CMD_USER_SET - do */
static const struct nla_policy kmqtt_user_set_nl_policy[KMQTT_A_USER_PASSWORD_HASH + 1] = {
	[KMQTT_A_USER_NAME] = { .type = NLA_STRING, .len = KMQTT_USER_MAX, },
	[KMQTT_A_USER_REALM] = { .type = NLA_U32, },
	[KMQTT_A_USER_METHOD] = NLA_POLICY_MAX(NLA_U32, 1),
	[KMQTT_A_USER_ITERATIONS] = NLA_POLICY_FULL_RANGE(NLA_U32, &kmqtt_a_user_iterations_range),
	[KMQTT_A_USER_SALT] = { .type = NLA_BINARY, },
	[KMQTT_A_USER_STORED_KEY] = { .type = NLA_BINARY, },
	[KMQTT_A_USER_SERVER_KEY] = { .type = NLA_BINARY, },
	[KMQTT_A_USER_PASSWORD_METHOD] = NLA_POLICY_MAX(NLA_U32, 1),
	[KMQTT_A_USER_PASSWORD_ITERATIONS] = NLA_POLICY_FULL_RANGE(NLA_U32, &kmqtt_a_user_password_iterations_range),
	[KMQTT_A_USER_PASSWORD_SALT] = { .type = NLA_BINARY, },
	[KMQTT_A_USER_PASSWORD_HASH] = NLA_POLICY_EXACT_LEN(64),
};

/* KMQTT_CMD_USER_DEL - do */
static const struct nla_policy kmqtt_user_del_nl_policy[KMQTT_A_USER_ALL + 1] = {
	[KMQTT_A_USER_NAME] = { .type = NLA_STRING, .len = KMQTT_USER_MAX, },
	[KMQTT_A_USER_ALL] = { .type = NLA_FLAG, },
};

/* KMQTT_CMD_USER_GET - dump */
static const struct nla_policy kmqtt_user_get_nl_policy[KMQTT_A_USER_SECRETS + 1] = {
	[KMQTT_A_USER_SECRETS] = { .type = NLA_FLAG, },
};

/* KMQTT_CMD_REALM_SET - do */
static const struct nla_policy kmqtt_realm_set_nl_policy[KMQTT_A_REALM_RESTRICT + 1] = {
	[KMQTT_A_REALM_NUMBER] = { .type = NLA_U32, },
	[KMQTT_A_REALM_AUTHENTICATE] = NLA_POLICY_MAX(NLA_U8, 1),
	[KMQTT_A_REALM_RESTRICT] = NLA_POLICY_MAX(NLA_U8, 1),
};

/* KMQTT_CMD_ACL_ADD - do */
static const struct nla_policy kmqtt_acl_add_nl_policy[KMQTT_A_ACL_TOPIC + 1] = {
	[KMQTT_A_ACL_REALM] = { .type = NLA_U32, },
	[KMQTT_A_ACL_KIND] = NLA_POLICY_MAX(NLA_U32, 2),
	[KMQTT_A_ACL_USER] = { .type = NLA_STRING, },
	[KMQTT_A_ACL_ACCESS] = NLA_POLICY_MAX(NLA_U32, 3),
	[KMQTT_A_ACL_TOPIC] = { .type = NLA_STRING, },
};

/* KMQTT_CMD_MESSAGE_PUBLISH - do */
static const struct nla_policy kmqtt_message_publish_nl_policy[KMQTT_A_MESSAGE_CONTENT_TYPE + 1] = {
	[KMQTT_A_MESSAGE_TOPIC] = { .type = NLA_STRING, },
	[KMQTT_A_MESSAGE_PAYLOAD] = { .type = NLA_BINARY, },
	[KMQTT_A_MESSAGE_QOS] = NLA_POLICY_MAX(NLA_U8, 2),
	[KMQTT_A_MESSAGE_RETAIN] = NLA_POLICY_MAX(NLA_U8, 1),
	[KMQTT_A_MESSAGE_EXPIRY] = { .type = NLA_U32, },
	[KMQTT_A_MESSAGE_CONTENT_TYPE] = { .type = NLA_STRING, .len = KMQTT_TEXT_MAX, },
};

/* KMQTT_CMD_TAP_ADD - do */
static const struct nla_policy kmqtt_tap_add_nl_policy[KMQTT_A_MESSAGE_CLIENT_ID + 1] = {
	[KMQTT_A_MESSAGE_FILTER] = { .type = NLA_STRING, },
	[KMQTT_A_MESSAGE_PAYLOAD_MAX] = NLA_POLICY_MAX(NLA_U32, KMQTT_SHOWN_PAYLOAD_MAX),
	[KMQTT_A_MESSAGE_CLIENT_ID] = { .type = NLA_STRING, .len = KMQTT_CLIENT_ID_MAX, },
};

/* KMQTT_CMD_BAN_ADD - do */
static const struct nla_policy kmqtt_ban_add_nl_policy[KMQTT_A_BAN_REASON + 1] = {
	[KMQTT_A_BAN_ADDR4] = { .type = NLA_U32, },
	[KMQTT_A_BAN_ADDR6] = NLA_POLICY_EXACT_LEN(16),
	[KMQTT_A_BAN_PREFIX] = NLA_POLICY_MAX(NLA_U8, 128),
	[KMQTT_A_BAN_CLIENT_ID] = { .type = NLA_STRING, .len = KMQTT_CLIENT_ID_MAX, },
	[KMQTT_A_BAN_USER] = { .type = NLA_STRING, .len = KMQTT_USER_MAX, },
	[KMQTT_A_BAN_EXPIRY] = { .type = NLA_U32, },
	[KMQTT_A_BAN_REASON] = { .type = NLA_STRING, .len = KMQTT_BAN_REASON_MAX, },
};

/* KMQTT_CMD_BAN_DEL - do */
static const struct nla_policy kmqtt_ban_del_nl_policy[KMQTT_A_BAN_USER + 1] = {
	[KMQTT_A_BAN_ADDR4] = { .type = NLA_U32, },
	[KMQTT_A_BAN_ADDR6] = NLA_POLICY_EXACT_LEN(16),
	[KMQTT_A_BAN_PREFIX] = NLA_POLICY_MAX(NLA_U8, 128),
	[KMQTT_A_BAN_CLIENT_ID] = { .type = NLA_STRING, .len = KMQTT_CLIENT_ID_MAX, },
	[KMQTT_A_BAN_USER] = { .type = NLA_STRING, .len = KMQTT_USER_MAX, },
};

/* KMQTT_CMD_CONN_ADOPT - do */
static const struct nla_policy kmqtt_conn_adopt_nl_policy[KMQTT_A_ADOPT_WEBSOCKET + 1] = {
	[KMQTT_A_ADOPT_FD] = { .type = NLA_U32, },
	[KMQTT_A_ADOPT_LISTENER] = { .type = NLA_U32, },
	[KMQTT_A_ADOPT_ADDR4] = { .type = NLA_U32, },
	[KMQTT_A_ADOPT_ADDR6] = NLA_POLICY_EXACT_LEN(16),
	[KMQTT_A_ADOPT_IFINDEX] = { .type = NLA_U32, },
	[KMQTT_A_ADOPT_PORT] = { .type = NLA_U16, },
	[KMQTT_A_ADOPT_USER] = { .type = NLA_STRING, .len = KMQTT_USER_MAX, },
	[KMQTT_A_ADOPT_SUBJECT] = { .type = NLA_STRING, .len = KMQTT_SUBJECT_MAX, },
	[KMQTT_A_ADOPT_TLS_VERSION] = NLA_POLICY_MIN(NLA_U16, 771),
	[KMQTT_A_ADOPT_CIPHER] = { .type = NLA_STRING, .len = KMQTT_CIPHER_MAX, },
	[KMQTT_A_ADOPT_WEBSOCKET] = { .type = NLA_FLAG, },
};

/* KMQTT_CMD_LISTENER_SET - do */
static const struct nla_policy kmqtt_listener_set_nl_policy[KMQTT_A_LISTENER_PROTOCOL_VERSIONS + 1] = {
	[KMQTT_A_LISTENER_ID] = { .type = NLA_U32, },
	[KMQTT_A_LISTENER_ADDR4] = { .type = NLA_U32, },
	[KMQTT_A_LISTENER_ADDR6] = NLA_POLICY_EXACT_LEN(16),
	[KMQTT_A_LISTENER_IFINDEX] = { .type = NLA_U32, },
	[KMQTT_A_LISTENER_PORT] = { .type = NLA_U16, },
	[KMQTT_A_LISTENER_TRANSPORT] = NLA_POLICY_MAX(NLA_U8, 3),
	[KMQTT_A_LISTENER_PATH] = { .type = NLA_STRING, .len = KMQTT_PATH_MAX, },
	[KMQTT_A_LISTENER_CID] = { .type = NLA_U32, },
	[KMQTT_A_LISTENER_VSOCK_PORT] = { .type = NLA_U32, },
	[KMQTT_A_LISTENER_AGENT] = { .type = NLA_STRING, .len = KMQTT_AGENT_MAX, },
	[KMQTT_A_LISTENER_ANONYMOUS] = NLA_POLICY_MAX(NLA_U8, 1),
	[KMQTT_A_LISTENER_MAX_CONNECTIONS] = { .type = NLA_U32, },
	[KMQTT_A_LISTENER_MAX_QOS] = NLA_POLICY_MAX(NLA_U8, 2),
	[KMQTT_A_LISTENER_TOPIC_ALIAS_MAX] = { .type = NLA_U16, },
	[KMQTT_A_LISTENER_USERNAME_AS_CLIENT_ID] = NLA_POLICY_MAX(NLA_U8, 1),
	[KMQTT_A_LISTENER_CONNECT_RATE] = { .type = NLA_U32, },
	[KMQTT_A_LISTENER_MESSAGE_RATE] = { .type = NLA_U32, },
	[KMQTT_A_LISTENER_BYTE_RATE] = { .type = NLA_U32, },
	[KMQTT_A_LISTENER_CLIENT_MESSAGE_RATE] = { .type = NLA_U32, },
	[KMQTT_A_LISTENER_CLIENT_BYTE_RATE] = { .type = NLA_U32, },
	[KMQTT_A_LISTENER_ASSIGN_CLIENT_ID] = NLA_POLICY_MAX(NLA_U8, 1),
	[KMQTT_A_LISTENER_CLIENT_ID_PREFIX] = { .type = NLA_STRING, .len = KMQTT_CLIENT_ID_PREFIX_MAX, },
	[KMQTT_A_LISTENER_TOPIC_ALIAS_MAX_OUT] = { .type = NLA_U16, },
	[KMQTT_A_LISTENER_PROTOCOL_VERSIONS] = NLA_POLICY_MASK(NLA_U8, 0x7),
};

/* Ops table for kmqtt */
const struct genl_split_ops kmqtt_nl_ops[32] = {
	{
		.cmd	= KMQTT_CMD_BROKER_GET,
		.doit	= kmqtt_nl_broker_get_doit,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= KMQTT_CMD_BROKER_SET,
		.doit		= kmqtt_nl_broker_set_doit,
		.policy		= kmqtt_broker_set_nl_policy,
		.maxattr	= KMQTT_A_BROKER_REQUIRED_CLIENT_ID_PREFIX,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= KMQTT_CMD_LISTENER_ADD,
		.doit		= kmqtt_nl_listener_add_doit,
		.policy		= kmqtt_listener_add_nl_policy,
		.maxattr	= KMQTT_A_LISTENER_PROTOCOL_VERSIONS,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= KMQTT_CMD_LISTENER_DEL,
		.doit		= kmqtt_nl_listener_del_doit,
		.policy		= kmqtt_listener_del_nl_policy,
		.maxattr	= KMQTT_A_LISTENER_AGENT,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= KMQTT_CMD_LISTENER_GET,
		.start	= kmqtt_nl_listener_get_start,
		.dumpit	= kmqtt_nl_listener_get_dumpit,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= KMQTT_CMD_CLIENT_GET,
		.doit		= kmqtt_nl_client_get_doit,
		.policy		= kmqtt_client_get_nl_policy,
		.maxattr	= KMQTT_A_CLIENT_CLIENT_ID,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= KMQTT_CMD_CLIENT_GET,
		.start	= kmqtt_nl_client_get_start,
		.dumpit	= kmqtt_nl_client_get_dumpit,
		.done	= kmqtt_nl_client_get_done,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= KMQTT_CMD_CLIENT_KICK,
		.doit		= kmqtt_nl_client_kick_doit,
		.policy		= kmqtt_client_kick_nl_policy,
		.maxattr	= KMQTT_A_CLIENT_SERVER_REFERENCE,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= KMQTT_CMD_SESSION_GET,
		.doit		= kmqtt_nl_session_get_doit,
		.policy		= kmqtt_session_get_nl_policy,
		.maxattr	= KMQTT_A_SESSION_CLIENT_ID,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= KMQTT_CMD_SESSION_GET,
		.start	= kmqtt_nl_session_get_start,
		.dumpit	= kmqtt_nl_session_get_dumpit,
		.done	= kmqtt_nl_session_get_done,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= KMQTT_CMD_SESSION_DEL,
		.doit		= kmqtt_nl_session_del_doit,
		.policy		= kmqtt_session_del_nl_policy,
		.maxattr	= KMQTT_A_SESSION_CLIENT_ID,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= KMQTT_CMD_SUBSCRIPTION_GET,
		.start		= kmqtt_nl_subscription_get_start,
		.dumpit		= kmqtt_nl_subscription_get_dumpit,
		.done		= kmqtt_nl_subscription_get_done,
		.policy		= kmqtt_subscription_get_nl_policy,
		.maxattr	= KMQTT_A_SUBSCRIPTION_CLIENT_ID,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= KMQTT_CMD_RETAINED_GET,
		.start		= kmqtt_nl_retained_get_start,
		.dumpit		= kmqtt_nl_retained_get_dumpit,
		.done		= kmqtt_nl_retained_get_done,
		.policy		= kmqtt_retained_get_nl_policy,
		.maxattr	= KMQTT_A_RETAINED_PAYLOAD_MAX,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= KMQTT_CMD_RETAINED_DEL,
		.doit		= kmqtt_nl_retained_del_doit,
		.policy		= kmqtt_retained_del_nl_policy,
		.maxattr	= KMQTT_A_RETAINED_ALL,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= KMQTT_CMD_USER_SET,
		.doit		= kmqtt_nl_user_set_doit,
		.policy		= kmqtt_user_set_nl_policy,
		.maxattr	= KMQTT_A_USER_PASSWORD_HASH,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= KMQTT_CMD_USER_DEL,
		.doit		= kmqtt_nl_user_del_doit,
		.policy		= kmqtt_user_del_nl_policy,
		.maxattr	= KMQTT_A_USER_ALL,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= KMQTT_CMD_USER_GET,
		.start		= kmqtt_nl_user_get_start,
		.dumpit		= kmqtt_nl_user_get_dumpit,
		.done		= kmqtt_nl_user_get_done,
		.policy		= kmqtt_user_get_nl_policy,
		.maxattr	= KMQTT_A_USER_SECRETS,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd	= KMQTT_CMD_STATS_GET,
		.doit	= kmqtt_nl_stats_get_doit,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= KMQTT_CMD_CONFIG_BEGIN,
		.doit	= kmqtt_nl_config_begin_doit,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= KMQTT_CMD_CONFIG_COMMIT,
		.doit	= kmqtt_nl_config_commit_doit,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= KMQTT_CMD_REALM_SET,
		.doit		= kmqtt_nl_realm_set_doit,
		.policy		= kmqtt_realm_set_nl_policy,
		.maxattr	= KMQTT_A_REALM_RESTRICT,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= KMQTT_CMD_REALM_GET,
		.dumpit	= kmqtt_nl_realm_get_dumpit,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd	= KMQTT_CMD_ACL_GET,
		.start	= kmqtt_nl_acl_get_start,
		.dumpit	= kmqtt_nl_acl_get_dumpit,
		.done	= kmqtt_nl_acl_get_done,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= KMQTT_CMD_ACL_ADD,
		.doit		= kmqtt_nl_acl_add_doit,
		.policy		= kmqtt_acl_add_nl_policy,
		.maxattr	= KMQTT_A_ACL_TOPIC,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= KMQTT_CMD_MESSAGE_PUBLISH,
		.doit		= kmqtt_nl_message_publish_doit,
		.policy		= kmqtt_message_publish_nl_policy,
		.maxattr	= KMQTT_A_MESSAGE_CONTENT_TYPE,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= KMQTT_CMD_TAP_ADD,
		.doit		= kmqtt_nl_tap_add_doit,
		.policy		= kmqtt_tap_add_nl_policy,
		.maxattr	= KMQTT_A_MESSAGE_CLIENT_ID,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= KMQTT_CMD_TAP_DEL,
		.doit	= kmqtt_nl_tap_del_doit,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= KMQTT_CMD_BAN_ADD,
		.doit		= kmqtt_nl_ban_add_doit,
		.policy		= kmqtt_ban_add_nl_policy,
		.maxattr	= KMQTT_A_BAN_REASON,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= KMQTT_CMD_BAN_DEL,
		.doit		= kmqtt_nl_ban_del_doit,
		.policy		= kmqtt_ban_del_nl_policy,
		.maxattr	= KMQTT_A_BAN_USER,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= KMQTT_CMD_BAN_GET,
		.dumpit	= kmqtt_nl_ban_get_dumpit,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= KMQTT_CMD_CONN_ADOPT,
		.doit		= kmqtt_nl_conn_adopt_doit,
		.policy		= kmqtt_conn_adopt_nl_policy,
		.maxattr	= KMQTT_A_ADOPT_WEBSOCKET,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= KMQTT_CMD_LISTENER_SET,
		.doit		= kmqtt_nl_listener_set_doit,
		.policy		= kmqtt_listener_set_nl_policy,
		.maxattr	= KMQTT_A_LISTENER_PROTOCOL_VERSIONS,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
};
