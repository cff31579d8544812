/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_CTL_H
#define _KMQTTCTL_CTL_H

#include "field.h"
#include "nl.h"
#include "print.h"

struct noun;

/* One run of kmqttctl. */
struct ctl {
	struct nl nl;
	struct style style;
	bool timestamp;		/* tell when events came */
	const char *netns;	/* as it was named, or NULL for our own */
	const struct noun *noun;
	const char *verb;
	char **args;		/* those not used yet, NULL at the end */
};

struct verb {
	const char *name;
	enum exit_code (*run)(struct ctl *ctl);
};

struct noun {
	const char *name;
	const char *summary;
	const char *usage;	/* a line for each form, and explanations */
	const struct field *fields;
	const struct verb *verbs;	/* the first is for none given */
};

extern const struct noun broker_noun;
extern const struct noun listener_noun;
extern const struct noun client_noun;
extern const struct noun session_noun;
extern const struct noun subscription_noun;
extern const struct noun retained_noun;
extern const struct noun user_noun;
extern const struct noun realm_noun;
extern const struct noun acl_noun;
extern const struct noun ban_noun;
extern const struct noun stats_noun;
extern const struct noun monitor_noun;
extern const struct noun top_noun;
extern const struct noun pub_noun;
extern const struct noun sub_noun;
extern const struct noun trace_noun;
extern const struct noun load_noun;
extern const struct noun save_noun;

const char *ctl_next_arg(struct ctl *ctl);
bool ctl_next_is(struct ctl *ctl, const char *keyword);
enum exit_code ctl_usage(const struct ctl *ctl, const char *text);
enum exit_code ctl_not(const struct ctl *ctl, const char *arg, const char *what);
enum exit_code ctl_put(struct ctl *ctl, const char *name);
enum exit_code ctl_end_args(const struct ctl *ctl);

enum exit_code ctl_act(struct ctl *ctl);
enum exit_code ctl_get_rows(struct ctl *ctl, const struct field *fields,
			    bool list, json_t **rows);
enum exit_code ctl_get_object(struct ctl *ctl);
enum exit_code ctl_get_table(struct ctl *ctl);
enum exit_code ctl_act_line(struct ctl *ctl);
void ctl_print_error(const struct ctl *ctl, const struct field *fields);
enum exit_code ctl_report(struct ctl *ctl, enum exit_code code);

#endif /* _KMQTTCTL_CTL_H */
