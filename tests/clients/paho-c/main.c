// SPDX-License-Identifier: GPL-2.0
/*
 * Scenarios with the Paho C library, synchronous API.
 *
 *	paho-c HOST PORT
 *
 * Prints a line "ok - ..." or "not ok - ..." for each scenario; ../run
 * numbers them. KMQTT_TIMEOUT_SCALE, KMQTT_CLIENTS_BIG and KMQTT_CLIENTS_TAG
 * are those of ../run.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "scenarios.h"
#include "stage.h"

#define TIMEOUT		20	/* seconds that one answer may take */
#define TIMEOUT_BIG	120
#define KEEP_ALIVE	60

static char last_words[200];

/* MQTTClient_publish() waits without limit for a broker that doesn't read. */
static void give_up(int sig)
{
	(void)sig;
	if (write(STDOUT_FILENO, last_words, strlen(last_words)) < 0)
		_exit(3);
	_exit(2);
}

static bool run(const struct scenario *s, const char *version)
{
	bool ok;

	snprintf(last_words, sizeof(last_words),
		 "# hangs in the library\nnot ok - %s: %s\n", version, s->name);
	alarm(10 * target.timeout);
	ok = stage_play(s->play);
	alarm(0);
	printf("%s - %s: %s\n", ok ? "ok" : "not ok", version, s->name);
	return ok;
}

static int number_from(const char *variable, int otherwise)
{
	const char *value = getenv(variable);

	return value && *value ? atoi(value) : otherwise;
}

int main(int argc, char **argv)
{
	static const char * const versions[] = { "3.1", "3.1.1", "5.0" };
	int scale = number_from("KMQTT_TIMEOUT_SCALE", 1);
	bool big = number_from("KMQTT_CLIENTS_BIG", 1);
	const char *tag = getenv("KMQTT_CLIENTS_TAG");
	const struct scenario *s;
	bool failed = false;
	char own_tag[12];
	int v;

	target.keep_alive = KEEP_ALIVE * scale;
	if (target.keep_alive > 65535)
		target.keep_alive = 65535;
	target.timeout = TIMEOUT * scale;
	if (argc == WILL_ARGUMENTS && !strcmp(argv[1], "--will"))
		return will_main(argv);
	if (argc != 3) {
		fprintf(stderr, "usage: paho-c HOST PORT\n");
		return 2;
	}

	if (!tag) {
		snprintf(own_tag, sizeof(own_tag), "%d", getpid());
		tag = own_tag;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGALRM, give_up);
	for (v = 0; v < 4; v++) {
		const char *version = versions[v < 3 ? v : 2];
		int number = 0;

		for (s = v < 3 ? scenarios : scenarios_v5; s->name; s++) {
			stage_set(argv[1], argv[2], version, tag,
				  (v < 3 ? 0 : 100) + number++);
			target.timeout = (s->big ? TIMEOUT_BIG : TIMEOUT) *
					 scale;
			if (s->big && !big)
				printf("ok - %s: %s # SKIP KMQTT_CLIENTS_BIG=0\n",
				       version, s->name);
			else if (!run(s, version))
				failed = true;
		}
	}
	return failed;
}
