// SPDX-License-Identifier: GPL-2.0
/*
 * CPU times: of the machine, of processes, of kworkers and of this program.
 */
#include "cpu.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define KWORKER	"kworker/"

const char *const cpu_kind_names[CPU_KINDS] = {
	[CPU_USER] = "user",
	[CPU_NICE] = "nice",
	[CPU_SYSTEM] = "system",
	[CPU_IDLE] = "idle",
	[CPU_IOWAIT] = "iowait",
	[CPU_IRQ] = "irq",
	[CPU_SOFTIRQ] = "softirq",
	[CPU_STEAL] = "steal",
};

static double ticks(unsigned long long n)
{
	return (double)n / sysconf(_SC_CLK_TCK);
}

/* What can't be read stays as it is. */
static void read_kinds(double kinds[CPU_KINDS])
{
	FILE *file = fopen("/proc/stat", "r");
	unsigned long long n;
	unsigned int i;

	if (!file)
		return;
	if (fscanf(file, "cpu") == 0)
		for (i = 0; i < CPU_KINDS && fscanf(file, "%llu", &n) == 1; i++)
			kinds[i] = ticks(n);
	fclose(file);
}

static void read_own(double *user, double *system)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	*user = usage.ru_utime.tv_sec + usage.ru_utime.tv_usec / 1e6;
	*system = usage.ru_stime.tv_sec + usage.ru_stime.tv_usec / 1e6;
}

/* A name may have anything in it, but the last ')' ends it. */
static bool read_process(struct cpu_process *process)
{
	unsigned long long user, system;
	char path[64], line[512];
	char *name, *end;
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", process->pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	n = fread(line, 1, sizeof(line) - 1, file);
	fclose(file);
	line[n] = '\0';
	name = strchr(line, '(');
	end = strrchr(line, ')');
	if (!name || !end ||
	    sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
		   &user, &system) != 2)
		return false;
	*end = '\0';
	snprintf(process->name, sizeof(process->name), "%.63s", name + 1);
	process->user = ticks(user);
	process->system = ticks(system);
	return true;
}

typedef bool (*process_fn)(const struct cpu_process *process, void *arg);

/* Call @each for all processes; it returns false for enough. */
static void walk_processes(process_fn each, void *arg)
{
	DIR *directory = opendir("/proc");
	struct cpu_process process;
	struct dirent *entry;

	if (!directory)
		return;
	while ((entry = readdir(directory))) {
		process.pid = atoi(entry->d_name);
		if (process.pid && read_process(&process) &&
		    !each(&process, arg))
			break;
	}
	closedir(directory);
}

static int add_process(struct cpu_state *state, pid_t pid)
{
	struct cpu_process *process = &state->processes[state->n_processes];

	if (state->n_processes == CPU_PROCESSES_MAX)
		return 0;
	process->pid = pid;
	if (!read_process(process)) {
		fprintf(stderr, "kmqtt-bench: no process %d\n", pid);
		return -1;
	}
	state->n_processes++;
	return 0;
}

static bool add_if_named(const struct cpu_process *process, void *arg)
{
	struct cpu_state *state = arg;
	unsigned int i;

	for (i = 0; i < state->options->processes.count; i++)
		if (!strcmp(process->name, state->options->processes.values[i]))
			return !add_process(state, process->pid);
	return true;
}

/**
 * cpu_init() - find the processes to look at
 * @state: to be set up
 * @o: what tells them
 *
 * Return: 0, or -1 after it has told which isn't there.
 */
int cpu_init(struct cpu_state *state, const struct options *o)
{
	unsigned int i;

	memset(state, 0, sizeof(*state));
	state->options = o;
	for (i = 0; i < o->pids.count; i++)
		if (add_process(state, atoi(o->pids.values[i])))
			return -1;
	if (!o->processes.count)
		return 0;
	i = state->n_processes;
	walk_processes(add_if_named, state);
	if (state->n_processes > i)
		return 0;
	fprintf(stderr, "kmqtt-bench: no process of the name %s\n",
		o->processes.values[0]);
	return -1;
}

static bool add_kworker(const struct cpu_process *process, void *arg)
{
	struct cpu_state *state = arg;

	if (strncmp(process->name, KWORKER, strlen(KWORKER)))
		return true;
	/* In steps of 64: there are no more of them than a few hundred. */
	if (state->n_kworkers % 64 == 0)
		state->kworkers = realloc(state->kworkers,
					  (state->n_kworkers + 64) *
					  sizeof(*state->kworkers));
	if (!state->kworkers)
		return false;
	state->kworkers[state->n_kworkers++] = *process;
	return true;
}

/**
 * cpu_begin() - remember the CPU times
 * @state: where to
 *
 * A kworker has the name of a workqueue after it has worked for it only, hence
 * all are remembered.
 */
void cpu_begin(struct cpu_state *state)
{
	unsigned int i;

	state->n_kworkers = 0;
	if (state->options->kworker)
		walk_processes(add_kworker, state);
	for (i = 0; i < state->n_processes; i++)
		read_process(&state->processes[i]);
	read_own(&state->own_user, &state->own_system);
	read_kinds(state->kinds);
}

struct kworkers {
	const struct cpu_state *state;
	double time;
};

static bool sum_kworker(const struct cpu_process *process, void *arg)
{
	struct kworkers *kworkers = arg;
	const struct cpu_state *state = kworkers->state;
	const char *wanted = state->options->kworker;
	bool is_wanted = strstr(process->name, wanted);
	double before = 0;
	unsigned int i;

	if (strncmp(process->name, KWORKER, strlen(KWORKER)))
		return true;
	for (i = 0; i < state->n_kworkers; i++) {
		if (state->kworkers[i].pid != process->pid)
			continue;
		before = state->kworkers[i].user + state->kworkers[i].system;
		is_wanted |= !!strstr(state->kworkers[i].name, wanted);
	}
	if (is_wanted)
		kworkers->time += process->user + process->system - before;
	return true;
}

static void end_processes(const struct cpu_state *state,
			  struct cpu_usage *usage)
{
	const struct cpu_process *before;
	struct cpu_process *process;
	unsigned int i;

	usage->n_processes = state->n_processes;
	for (i = 0; i < state->n_processes; i++) {
		before = &state->processes[i];
		process = &usage->processes[i];
		*process = *before;
		read_process(process);
		process->user -= before->user;
		process->system -= before->system;
	}
}

/**
 * cpu_end() - what CPU times have passed
 * @state: from cpu_begin()
 * @usage: gets them
 */
void cpu_end(struct cpu_state *state, struct cpu_usage *usage)
{
	struct kworkers kworkers = { .state = state };
	double kinds[CPU_KINDS];
	unsigned int i;

	memcpy(kinds, state->kinds, sizeof(kinds));
	read_kinds(kinds);
	for (i = 0; i < CPU_KINDS; i++)
		usage->kinds[i] = kinds[i] - state->kinds[i];
	read_own(&usage->own_user, &usage->own_system);
	usage->own_user -= state->own_user;
	usage->own_system -= state->own_system;
	end_processes(state, usage);
	if (state->options->kworker)
		walk_processes(sum_kworker, &kworkers);
	usage->kworkers = kworkers.time;
}
