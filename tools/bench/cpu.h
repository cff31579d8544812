/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_BENCH_CPU_H
#define _KMQTT_BENCH_CPU_H

#include <stdbool.h>
#include <sys/types.h>

#include "options.h"

#define CPU_PROCESSES_MAX	64
#define CPU_NAME_MAX		64

/* What /proc/stat has in its first line. */
enum cpu_kind {
	CPU_USER,
	CPU_NICE,
	CPU_SYSTEM,
	CPU_IDLE,
	CPU_IOWAIT,
	CPU_IRQ,
	CPU_SOFTIRQ,
	CPU_STEAL,
	CPU_KINDS
};

extern const char *const cpu_kind_names[CPU_KINDS];

struct cpu_process {
	pid_t pid;
	char name[CPU_NAME_MAX];
	double user;
	double system;
};

/* CPU times of a phase in seconds. */
struct cpu_usage {
	double kinds[CPU_KINDS];
	double own_user;
	double own_system;
	double kworkers;
	unsigned int n_processes;
	struct cpu_process processes[CPU_PROCESSES_MAX];
};

/* When it began. */
struct cpu_state {
	const struct options *options;
	double kinds[CPU_KINDS];
	double own_user;
	double own_system;
	unsigned int n_processes;
	struct cpu_process processes[CPU_PROCESSES_MAX];
	unsigned int n_kworkers;
	struct cpu_process *kworkers;
};

int cpu_init(struct cpu_state *state, const struct options *o);
void cpu_begin(struct cpu_state *state);
void cpu_end(struct cpu_state *state, struct cpu_usage *usage);

#endif /* _KMQTT_BENCH_CPU_H */
