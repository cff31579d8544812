// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttctl client show: all that is known of one client
 */
#include "show.h"

#include <err.h>
#include <stdio.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/kmqtt.h>

#include "text.h"

const char *const packet_types[] = {
	"reserved", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC",
	"PUBREL", "PUBCOMP", "SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK",
	"PINGREQ", "PINGRESP", "DISCONNECT", "AUTH", NULL
};

/* As the kernel tells them. */
static const struct field packet_fields[] = {
	{ .kind = FIELD_CHOICE, .attr = KMQTT_A_PACKET_TYPE, .name = "type",
	  .names = packet_types },
	{ .kind = FIELD_BYTES, .attr = KMQTT_A_PACKET_SIZE, .name = "size" },
	{ .kind = FIELD_NUMBER, .attr = KMQTT_A_PACKET_AGE, .name = "age" },
	{ .kind = FIELD_FLAG, .attr = KMQTT_A_PACKET_SENT, .name = "sent" },
	{ .kind = FIELD_END }
};

/* As they are shown. */
static const struct field packet_columns[] = {
	{ .kind = FIELD_STRING, .name = "direction", .title = "DIRECTION" },
	{ .kind = FIELD_STRING, .name = "type", .title = "TYPE" },
	{ .kind = FIELD_BYTES, .name = "size", .title = "SIZE" },
	{ .kind = FIELD_STRING, .name = "ago", .title = "AGO" },
	{ .kind = FIELD_END }
};

/* What one client is known by. */
struct shown {
	json_t *client;		/* or NULL without a connection */
	json_t *session;
	json_t *subscriptions;
	json_t *packets;
};

static void *check(void *mem)
{
	if (!mem)
		errx(EXIT_FAILED, "out of memory");
	return mem;
}

static void append(json_t *array, json_t *row)
{
	if (json_array_append_new(array, row))
		errx(EXIT_FAILED, "out of memory");
}

static void set(json_t *row, const char *name, json_t *value)
{
	if (json_object_set_new(row, name, check(value)))
		errx(EXIT_FAILED, "out of memory");
}

static void read_packet(struct shown *shown, const struct nlattr *nest)
{
	json_t *row = field_read_nest(packet_fields, nest);
	json_t *age = json_object_get(row, "age");
	bool sent = json_object_get(row, "sent");

	set(row, "direction", json_string(sent ? "sent" : "received"));
	json_object_del(row, "sent");
	/* Times are in seconds everywhere. */
	set(row, "age", json_real(json_integer_value(age) / 1000.0));
	append(shown->packets, row);
}

static void read_client(const struct nlmsghdr *nlh, void *arg)
{
	struct shown *shown = arg;
	const struct nlattr *attr;

	json_decref(shown->client);
	shown->client = field_read_row(client_noun.fields, nlh);
	json_array_clear(shown->packets);
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == KMQTT_A_CLIENT_PACKET)
			read_packet(shown, attr);
	}
}

static void read_session(const struct nlmsghdr *nlh, void *arg)
{
	struct shown *shown = arg;

	json_decref(shown->session);
	shown->session = field_read_row(session_noun.fields, nlh);
}

static void read_subscription(const struct nlmsghdr *nlh, void *arg)
{
	struct shown *shown = arg;
	json_t *row = field_read_row(subscription_noun.fields, nlh);

	json_object_del(row, "client_id");
	append(shown->subscriptions, row);
}

/* Begin a request of another noun for the client. */
static bool begin(struct ctl *ctl, uint8_t cmd, const struct noun *noun,
		  const char *id)
{
	nl_begin(&ctl->nl, cmd);
	return field_put(&ctl->nl, field_by_name(noun->fields, "client-id"),
			 id);
}

/*
 * The session is there for as long as its client may be asked for; what else
 * there is may go at any time.
 */
static enum exit_code ask(struct ctl *ctl, const char *id, struct shown *shown)
{
	struct nl *nl = &ctl->nl;
	enum exit_code ret;

	if (!begin(ctl, KMQTT_CMD_SESSION_GET, &session_noun, id))
		return ctl_not(ctl, id, "a client identifier");
	ret = nl_do(nl, read_session, shown);
	if (ret) {
		/* The attribute that errors name is the session's. */
		if (nl->error.attr)
			nl->error.attr = KMQTT_A_CLIENT_CLIENT_ID;
		return ctl_report(ctl, ret);
	}
	begin(ctl, KMQTT_CMD_CLIENT_GET, &client_noun, id);
	ret = nl_do(nl, read_client, shown);
	if (ret == EXIT_FAILED)
		return ctl_report(ctl, ret);
	begin(ctl, KMQTT_CMD_SUBSCRIPTION_GET, &subscription_noun, id);
	ret = nl_dump(nl, read_subscription, shown);
	if (ret == EXIT_FAILED)
		return ctl_report(ctl, ret);
	return ret == EXIT_PARTIAL ? ctl_report(ctl, ret) : EXIT_DONE;
}

static void print_title(const char *title)
{
	printf("\n%s\n", title);
}

static void print_packets(const struct style *style, json_t *packets)
{
	json_t *packet;
	char text[64];
	double age;
	size_t i;

	json_array_foreach(packets, i, packet) {
		age = json_real_value(json_object_get(packet, "age"));
		if (age < 60)
			snprintf(text, sizeof(text), "%.3fs", age);
		else
			text_of_seconds(text, age);
		set(packet, "ago", json_string(text));
	}
	print_table(style, packet_columns, packets);
}

static void print_shown(struct ctl *ctl, const struct shown *shown)
{
	const struct style *style = &ctl->style;
	json_t *object;

	if (style->json) {
		object = check(json_object());
		if (shown->client)
			set(object, "client", json_incref(shown->client));
		set(object, "session", json_incref(shown->session));
		set(object, "subscriptions",
		    json_incref(shown->subscriptions));
		set(object, "packets", json_incref(shown->packets));
		print_object(style, NULL, object);
		json_decref(object);
		return;
	}
	puts("SESSION");
	print_object(style, session_noun.fields, shown->session);
	if (shown->client) {
		print_title("CONNECTION");
		print_object(style, client_noun.fields, shown->client);
	}
	if (json_array_size(shown->subscriptions)) {
		print_title("SUBSCRIPTIONS");
		print_table(style, subscription_noun.fields + 1,
			    shown->subscriptions);
	}
	if (json_array_size(shown->packets)) {
		print_title("LAST PACKETS");
		print_packets(style, shown->packets);
	}
}

/**
 * show_client() - show all that is known of one client
 * @ctl: run
 *
 * Return: how it ended.
 */
enum exit_code show_client(struct ctl *ctl)
{
	struct shown shown = {
		.subscriptions = check(json_array()),
		.packets = check(json_array()),
	};
	enum exit_code ret;
	const char *id;

	ctl_next_is(ctl, "client-id");
	id = ctl_next_arg(ctl);
	if (!id)
		ret = ctl_usage(ctl, "client-id needs a value");
	else if (ctl_end_args(ctl))
		ret = EXIT_USAGE;
	else
		ret = ask(ctl, id, &shown);
	if (shown.session && (ret == EXIT_DONE || ret == EXIT_PARTIAL))
		print_shown(ctl, &shown);
	json_decref(shown.client);
	json_decref(shown.session);
	json_decref(shown.subscriptions);
	json_decref(shown.packets);
	return ret;
}
