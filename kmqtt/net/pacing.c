// SPDX-License-Identifier: GPL-2.0
#include "pacing.h"

#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include "../access/port.h"
#include "../broker.h"
#include "../stats.h"
#include "conn.h"

/* Milliseconds that a client is held back before it is looked at again. */
#define PAUSE_MAX	1000

/**
 * kmqtt_pacing_begin() - is there a limit for this client from now on?
 * @conn: the connection
 * @gfp: how to get memory
 *
 * Context: the connection's receive side.
 * Return: 0, with @conn->rx.pace if there is one; or -ENOMEM.
 */
int kmqtt_pacing_begin(struct kmqtt_conn *conn, gfp_t gfp)
{
	if (!kmqtt_port_paced(conn->client.port) || conn->rx.pace)
		return 0;
	conn->rx.pace = kzalloc(sizeof(*conn->rx.pace), gfp | __GFP_NOWARN);
	return conn->rx.pace ? 0 : -ENOMEM;
}

/**
 * kmqtt_pacing_count() - count what was received against all rates
 * @conn: the connection, which has @rx.pace
 * @messages: PUBLISH packets
 * @bytes: of all packets
 *
 * Rates are those of the client and of its listener.
 *
 * Context: the connection's receive side.
 * Return: true if nothing more is to be handled until @rx.pace->until.
 */
bool kmqtt_pacing_count(struct kmqtt_conn *conn, u32 messages, u32 bytes)
{
	struct kmqtt_rx_pace *pace = conn->rx.pace;
	struct kmqtt_port *port = conn->client.port;
	const struct kmqtt_terms *terms = &port->terms;
	u64 now = ktime_get_ns(), wait;

	wait = kmqtt_pace_take(&pace->messages,
			       READ_ONCE(terms->client_message_rate), messages,
			       now);
	wait = max(wait, kmqtt_pace_take(&pace->bytes,
					 READ_ONCE(terms->client_byte_rate),
					 bytes, now));
	wait = max(wait, kmqtt_pace_take(&port->messages,
					 READ_ONCE(terms->message_rate),
					 messages, now));
	wait = max(wait, kmqtt_pace_take(&port->bytes,
					 READ_ONCE(terms->byte_rate), bytes,
					 now));
	if (!wait)
		return false;
	wait = min_t(u64, wait, (u64)PAUSE_MAX * NSEC_PER_MSEC);
	WRITE_ONCE(pace->until, jiffies + nsecs_to_jiffies(wait) + 1);
	return true;
}

/**
 * kmqtt_pacing_pause() - receive nothing for a while
 * @conn: the connection, whose @rx.pace->until is set
 *
 * Context: the connection's receive side.
 */
void kmqtt_pacing_pause(struct kmqtt_conn *conn)
{
	set_bit(KMQTT_CONN_RX_PACED, &conn->flags);
	kmqtt_stats_inc(conn->client.broker, paced);
	/* The timer also looks whether it has waited for something else. */
	mod_timer(&conn->timer, conn->rx.pace->until);
}

/**
 * kmqtt_pacing_timeout() - end a pause, if it is over
 * @conn: the connection, which is in a pause
 *
 * Context: the connection's timer.
 */
void kmqtt_pacing_timeout(struct kmqtt_conn *conn)
{
	unsigned long until = READ_ONCE(conn->rx.pace->until);

	if (time_before(jiffies, until)) {
		mod_timer(&conn->timer, until);
		return;
	}
	/* Pairs with kmqtt_receive(). */
	clear_bit_unlock(KMQTT_CONN_RX_PACED, &conn->flags);
	set_bit(KMQTT_CONN_RX_PENDING, &conn->flags);
	kmqtt_conn_kick(conn, test_bit(KMQTT_CONN_RX_THREAD, &conn->flags));
	WRITE_ONCE(conn->rx.last, jiffies);
	kmqtt_conn_arm_timer(conn);
}
