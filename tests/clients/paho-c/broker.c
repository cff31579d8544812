// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "broker.h"
#include "client.h"
#include "stage.h"

static struct setting {
	const char *name;
	long value;
} changed[4];

static unsigned int changes;

/* The first line that kmqttctl prints; its exit status. */
static int run_ctl(const char *arguments, char *line, int size)
{
	const char *ctl = getenv("KMQTT_CTL");
	char command[1000];
	FILE *pipe;
	int status;

	snprintf(command, sizeof(command), "exec '%s' %s 2>&1",
		 ctl ?: "kmqttctl", arguments);
	pipe = popen(command, "r");
	if (!pipe)
		return -1;
	if (!fgets(line, size, pipe))
		line[0] = '\0';
	status = pclose(pipe);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool get_settings(char *line, int size)
{
	return run_ctl("-j broker", line, size) == 0;
}

static bool set(const char *name, long value)
{
	char arguments[100], line[100];

	snprintf(arguments, sizeof(arguments), "broker set %s %ld", name,
		 value);
	return run_ctl(arguments, line, sizeof(line)) == 0;
}

bool broker_has_settings(void)
{
	char line[4096];

	return get_settings(line, sizeof(line));
}

void broker_set(const char *name, long value)
{
	char line[4096], key[100], *c;
	struct setting *old = &changed[changes];

	if (!get_settings(line, sizeof(line)))
		scenario_skip("kmqttctl reaches no broker");
	snprintf(key, sizeof(key), "\"%s\":", name);
	for (c = key; *c; c++)
		if (*c == '-')
			*c = '_';
	c = strstr(line, key);
	expect(c);
	expect(changes < sizeof(changed) / sizeof(changed[0]));
	old->name = name;
	old->value = atol(c + strlen(key));
	changes++;
	if (!set(name, value))
		scenario_fail("kmqttctl doesn't set %s", name);
}

void broker_restore(void)
{
	while (changes) {
		changes--;
		if (!set(changed[changes].name, changed[changes].value))
			printf("# %s isn't restored\n", changed[changes].name);
	}
}
