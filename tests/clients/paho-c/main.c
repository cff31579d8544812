// SPDX-License-Identifier: GPL-2.0
/*
 * Scenarios with the Paho C library, synchronous API.
 *
 *	paho-c HOST PORT
 *
 * Prints a line "ok - ..." or "not ok - ..." for each scenario; ../run
 * numbers them. KMQTT_TIMEOUT_SCALE, KMQTT_CLIENTS_BIG, KMQTT_CLIENTS_TAG,
 * KMQTT_CLIENTS_VERSIONS and KMQTT_CTL are those of ../run. KMQTT_TLS_CA, a
 * file, has it speak TLS; KMQTT_TLS_CERT and KMQTT_TLS_KEY are its own
 * certificate. So does KMQTT_TLS_PSK, a line of a psk_file, in place of
 * certificates. KMQTT_WEBSOCKET=1 has it speak WebSocket, with or without TLS.
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
	enum outcome outcome;

	snprintf(last_words, sizeof(last_words),
		 "# hangs in the library\nnot ok - %s: %s\n", version, s->name);
	alarm(10 * target.timeout);
	outcome = stage_play(s->play);
	alarm(0);
	printf("%s - %s: %s", outcome == FAILED ? "not ok" : "ok", version,
	       s->name);
	if (outcome == SKIPPED)
		printf(" # SKIP %s", skip_reason);
	printf("\n");
	return outcome != FAILED;
}

static int number_from(const char *variable, int otherwise)
{
	const char *value = getenv(variable);

	return value && *value ? atoi(value) : otherwise;
}

static void set_transport(void)
{
	target.tls_ca = getenv("KMQTT_TLS_CA");
	target.tls_cert = getenv("KMQTT_TLS_CERT");
	target.tls_key = getenv("KMQTT_TLS_KEY");
	target.tls_psk = getenv("KMQTT_TLS_PSK");
	target.tls = target.tls_ca || target.tls_psk;
	target.websocket = number_from("KMQTT_WEBSOCKET", 0);
}

/*
 * Scenarios of a version; the number of the first is part of their names.
 *
 * With WebSocket the library (1.3.12) can do less: what it has read of a frame
 * is kept for all connections together, so that a part of one is taken for
 * another's. Scenarios in which much is on its way to several are left out. (Of
 * packets that share a frame it looks at the first ones only, until something else
 * comes: the broker has none that do.)
 */
static bool run_all(const struct scenario *s, int number, char **argv,
		    const char *version)
{
	bool big = number_from("KMQTT_CLIENTS_BIG", 1);
	const char *tag = getenv("KMQTT_CLIENTS_TAG");
	bool ok = true;
	char own_tag[12];

	if (!tag) {
		snprintf(own_tag, sizeof(own_tag), "%d", getpid());
		tag = own_tag;
	}
	for (; s->name; s++, number++) {
		stage_set(argv[1], argv[2], version, tag, number);
		target.timeout = (s->big ? TIMEOUT_BIG : TIMEOUT) *
				 target.scale;
		if (s->big && !big)
			printf("ok - %s: %s # SKIP KMQTT_CLIENTS_BIG=0\n",
			       version, s->name);
		else if (s->dense && target.websocket)
			printf("ok - %s: %s # SKIP too much for the library's WebSocket\n",
			       version, s->name);
		else if (!run(s, version))
			ok = false;
	}
	return ok;
}

int main(int argc, char **argv)
{
	static const char * const versions[] = { "3.1", "3.1.1", "5.0" };
	const char *wanted = getenv("KMQTT_CLIENTS_VERSIONS");
	bool failed = false;
	char list[40];
	int v;

	target.scale = number_from("KMQTT_TIMEOUT_SCALE", 1);
	target.keep_alive = KEEP_ALIVE * target.scale;
	if (target.keep_alive > 65535)
		target.keep_alive = 65535;
	target.timeout = TIMEOUT * target.scale;
	set_transport();
	if (argc == WILL_ARGUMENTS && !strcmp(argv[1], "--will"))
		return will_main(argv);
	if (argc == MEMBER_ARGUMENTS && !strcmp(argv[1], "--member"))
		return member_main(argv);
	if (argc != 3) {
		fprintf(stderr, "usage: paho-c HOST PORT\n");
		return 2;
	}

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGALRM, give_up);
	for (v = 0; v < 3; v++) {
		char word[8];

		snprintf(list, sizeof(list), " %s ",
			 wanted ?: "3.1 3.1.1 5.0");
		snprintf(word, sizeof(word), " %s ", versions[v]);
		if (!strstr(list, word))
			continue;
		if (!run_all(scenarios, 0, argv, versions[v]))
			failed = true;
		if (!strcmp(versions[v], "5.0") &&
		    !run_all(scenarios_of_5, 20, argv, versions[v]))
			failed = true;
	}
	return failed;
}
