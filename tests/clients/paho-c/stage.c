// SPDX-License-Identifier: GPL-2.0
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <MQTTClient.h>

#include "broker.h"
#include "client.h"
#include "property.h"
#include "stage.h"

extern char **environ;

static const char *broker_host, *broker_port, *mqtt_version;
static char topic_base[64];
static char id_base[24];	/* MQTT 3.1 allows 23 bytes */
static jmp_buf scenario_end;

static const char *scheme(void)
{
	if (target.websocket)
		return target.tls ? "wss" : "ws";
	return target.tls ? "ssl" : "tcp";
}

void stage_set(const char *host, const char *port, const char *version,
	       const char *tag, unsigned int scenario)
{
	broker_host = host;
	broker_port = port;
	mqtt_version = version;
	snprintf(target.uri, sizeof(target.uri),
		 strchr(host, ':') ? "%s://[%s]:%s" : "%s://%s:%s",
		 scheme(), host, port);
	target.mqtt_version = !strcmp(version, "5.0") ? MQTTVERSION_5 :
			      !strcmp(version, "3.1") ? MQTTVERSION_3_1 :
							MQTTVERSION_3_1_1;
	snprintf(topic_base, sizeof(topic_base), "%s/c/%s/%u", tag, version,
		 scenario);
	snprintf(id_base, sizeof(id_base), "%s-c%d-%u", tag,
		 target.mqtt_version, scenario);
}

enum outcome stage_play(void (*play)(void))
{
	enum outcome outcome = setjmp(scenario_end);

	if (outcome == PASSED)
		play();
	client_drop_all();
	broker_restore();
	return outcome;
}

void scenario_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("# ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
	longjmp(scenario_end, FAILED);
}

const char *skip_reason;

void scenario_skip(const char *reason)
{
	skip_reason = reason;
	longjmp(scenario_end, SKIPPED);
}

bool v311(void)
{
	return target.mqtt_version == MQTTVERSION_3_1_1;
}

const char *topic(const char *format, ...)
{
	static char ring[8][200];
	static unsigned int turn;
	char *t = ring[turn++ % 8];
	int len = sprintf(t, "%s/", topic_base);
	va_list args;

	va_start(args, format);
	vsnprintf(t + len, sizeof(ring[0]) - len, format, args);
	va_end(args);
	return t;
}

const char *id(const char *name)
{
	static char ring[16][40];
	static unsigned int turn;
	char *t = ring[turn++ % 16];

	snprintf(t, sizeof(ring[0]), "%s-%s", id_base, name);
	return t;
}

struct client *connect_as(const char *name)
{
	struct client_options options = { .id = id(name) };

	return client_connect(&options);
}

struct client *resume_as(const char *name)
{
	struct client_options options = {
		.id = id(name),
		.keep_session = true,
		.expiry = 3600,
	};

	return client_connect(&options);
}

void die_with_will(const char *will_topic, const char *text, int qos,
		   bool retain)
{
	die_with_late_will("will", will_topic, text, qos, retain, 0);
}

void die_with_late_will(const char *name, const char *will_topic,
			const char *text, int qos, bool retain, int delay)
{
	char qos_arg[] = { '0' + qos, '\0' };
	char retain_arg[] = { '0' + retain, '\0' };
	char delay_arg[12];
	const char *argv[WILL_ARGUMENTS + 1] = {
		"paho-c", "--will", broker_host, broker_port, mqtt_version,
		id(name), will_topic, text, qos_arg, retain_arg, delay_arg,
	};
	posix_spawn_file_actions_t actions;
	struct pollfd answer = { .events = POLLIN };
	char line[100] = "";
	int fds[2], rc;
	pid_t child;

	snprintf(delay_arg, sizeof(delay_arg), "%d", delay);
	expect(!pipe(fds));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
	posix_spawn_file_actions_addclose(&actions, fds[0]);
	posix_spawn_file_actions_addclose(&actions, fds[1]);
	rc = posix_spawn(&child, "/proc/self/exe", &actions, NULL,
			 (char **)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	expect(!rc);

	answer.fd = fds[0];
	if (poll(&answer, 1, target.timeout * 1000) == 1)
		rc = read(fds[0], line, sizeof(line) - 1);
	close(fds[0]);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	expect(!strcmp(line, "connected\n"));
}

static struct client_options dying;

static void connect_and_wait(void)
{
	client_connect(&dying);
	puts("connected");
	fflush(stdout);
	for (;;)
		pause();
}

int will_main(char **argv)
{
	stage_set(argv[2], argv[3], argv[4], "", 0);
	dying.id = argv[5];
	dying.will_topic = argv[6];
	dying.will_payload = argv[7];
	dying.will_qos = atoi(argv[8]);
	dying.will_retained = atoi(argv[9]);
	if (atoi(argv[10])) {
		dying.keep_session = true;
		dying.expiry = 3600;
		add_number(&dying.will_properties,
			   MQTTPROPERTY_CODE_WILL_DELAY_INTERVAL,
			   atoi(argv[10]));
		add_user(&dying.will_properties, "b", "1");
		add_user(&dying.will_properties, "a", "2");
		add_user(&dying.will_properties, "b", "0");
	}
	stage_play(connect_and_wait);
	return 1;
}
