// SPDX-License-Identifier: GPL-2.0
/*
 * What was measured, as text or as JSON.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

static const struct {
	const char *name;
	double percent;
} percentiles[] = {
	{ "p50", 50 },
	{ "p90", 90 },
	{ "p99", 99 },
	{ "p99.9", 99.9 },
};

static double per_second(const struct result *r)
{
	return r->seconds > 0 ? r->counts.delivered / r->seconds : 0;
}

static double ns_each(const struct result *r)
{
	return r->counts.delivered ? r->seconds * 1e9 / r->counts.delivered : 0;
}

static void set_real(json_t *object, const char *name, double value)
{
	json_object_set_new(object, name, json_real(value));
}

static void set_count(json_t *object, const char *name, uint64_t value)
{
	json_object_set_new(object, name, json_integer(value));
}

static json_t *latency_to_json(const struct histogram *h)
{
	json_t *object = json_object();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(percentiles); i++)
		set_real(object, percentiles[i].name,
			 histogram_percentile(h, percentiles[i].percent) / 1e3);
	set_real(object, "max", h->max / 1e3);
	set_real(object, "mean", histogram_mean(h) / 1e3);
	set_count(object, "count", h->count);
	return object;
}

static json_t *user_and_system(double user, double system)
{
	return json_pack("{s:f, s:f}", "user", user, "system", system);
}

static json_t *processes_to_json(const struct cpu_usage *cpu)
{
	json_t *array = json_array(), *object;
	const struct cpu_process *process;
	unsigned int i;

	for (i = 0; i < cpu->n_processes; i++) {
		process = &cpu->processes[i];
		object = user_and_system(process->user, process->system);
		set_count(object, "pid", process->pid);
		json_object_set_new(object, "name",
				    json_string(process->name));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *cpu_to_json(const struct bench *b, const struct cpu_usage *cpu)
{
	json_t *object = json_object(), *machine = json_object();
	unsigned int i;

	for (i = 0; i < CPU_KINDS; i++)
		set_real(machine, cpu_kind_names[i], cpu->kinds[i]);
	json_object_set_new(object, "machine", machine);
	json_object_set_new(object, "generator",
			    user_and_system(cpu->own_user, cpu->own_system));
	json_object_set_new(object, "processes", processes_to_json(cpu));
	if (b->options->kworker)
		set_real(object, "kworkers", cpu->kworkers);
	return object;
}

static json_t *errors_to_json(const struct counts *counts)
{
	json_t *object = json_object();

	set_count(object, "duplicates", counts->duplicates);
	set_count(object, "missing", counts->missing);
	set_count(object, "misordered", counts->misordered);
	return object;
}

static void result_to_json(const struct bench *b, const struct result *r,
			   json_t *object)
{
	char name[64];

	set_real(object, "seconds", r->seconds);
	json_object_set_new(object, "cpu_seconds", cpu_to_json(b, &r->cpu));
	if (!r->unit)
		return;
	json_object_set_new(object, "unit", json_string(r->unit));
	set_count(object, "published", r->counts.published);
	set_count(object, "delivered", r->counts.delivered);
	set_count(object, "received_bytes", r->bytes);
	snprintf(name, sizeof(name), "%ss_per_second", r->unit);
	set_real(object, name, per_second(r));
	snprintf(name, sizeof(name), "ns_per_%s", r->unit);
	set_real(object, name, ns_each(r));
	json_object_set_new(object, "latency_us",
			    latency_to_json(&r->latency));
	if (r->late.count)
		json_object_set_new(object, "late_us",
				    latency_to_json(&r->late));
	json_object_set_new(object, "errors", errors_to_json(&r->counts));
}

static void print_json(const struct bench *b)
{
	json_t *object = json_object(), *parameters = json_object(), *into;
	const struct result *r;
	unsigned int i;

	json_object_set_new(object, "version", json_string(VERSION));
	json_object_set_new(object, "pattern", json_string(b->pattern->name));
	options_to_json(b->options, parameters);
	json_object_set_new(object, "parameters", parameters);
	json_object_set_new(object, "error", b->failed ?
			    json_string(b->error) : json_null());
	for (i = 0; i < b->n_results; i++) {
		r = &b->results[i];
		into = r->name ? json_object() : object;
		result_to_json(b, r, into);
		if (r->name)
			json_object_set_new(object, r->name, into);
	}
	json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(object);
}

static void print_latency(const char *name, const struct histogram *h)
{
	size_t i;

	if (!h->count)
		return;
	printf("  %-9s ", name);
	for (i = 0; i < ARRAY_SIZE(percentiles); i++)
		printf("%s %.1f, ", percentiles[i].name,
		       histogram_percentile(h, percentiles[i].percent) / 1e3);
	printf("max %.1f, mean %.1f us\n", h->max / 1e3, histogram_mean(h) / 1e3);
}

static void print_cpu(const struct bench *b, const struct cpu_usage *cpu)
{
	unsigned int i;

	printf("  machine   ");
	for (i = 0; i < CPU_KINDS; i++)
		printf("%s%s %.2f", i ? ", " : "", cpu_kind_names[i],
		       cpu->kinds[i]);
	printf(" s\n  generator user %.3f, system %.3f s\n", cpu->own_user,
	       cpu->own_system);
	for (i = 0; i < cpu->n_processes; i++)
		printf("  %s (%d) user %.2f, system %.2f s\n",
		       cpu->processes[i].name, cpu->processes[i].pid,
		       cpu->processes[i].user, cpu->processes[i].system);
	if (b->options->kworker)
		printf("  kworkers  %.2f s\n", cpu->kworkers);
}

static void print_errors(const struct counts *counts)
{
	if (counts->duplicates || counts->missing || counts->misordered)
		printf("  %llu duplicates, %llu missing, %llu misordered\n",
		       (unsigned long long)counts->duplicates,
		       (unsigned long long)counts->missing,
		       (unsigned long long)counts->misordered);
}

static void print_result(const struct bench *b, const struct result *r)
{
	printf("%s%s%s: ", b->pattern->name, r->name ? " " : "",
	       r->name ? r->name : "");
	if (r->unit)
		printf("%llu %ss in ", (unsigned long long)r->counts.delivered,
		       r->unit);
	printf("%.3f s", r->seconds);
	if (r->unit)
		printf(", %.0f per second, %.0f ns each", per_second(r),
		       ns_each(r));
	putchar('\n');
	print_latency("latency", &r->latency);
	print_latency("sent late", &r->late);
	print_cpu(b, &r->cpu);
	print_errors(&r->counts);
}

/**
 * report() - print the results
 * @b: the run
 *
 * Return: the program's exit status
 */
int report(const struct bench *b)
{
	unsigned int i;

	if (b->options->json) {
		print_json(b);
	} else {
		for (i = 0; i < b->n_results; i++)
			print_result(b, &b->results[i]);
	}
	if (b->failed)
		fprintf(stderr, "kmqtt-bench: %s\n", b->error);
	return b->failed;
}
