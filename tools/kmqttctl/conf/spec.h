/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_CONF_SPEC_H
#define _KMQTTCTL_CONF_SPEC_H

#include "read.h"

struct spec *spec_new(struct reader *reader);
struct spec *spec_default(struct reader *reader);
struct spec *spec_of(struct reader *reader);
void spec_free_all(struct reader *reader);
void spec_free_security(struct security *security);

#endif /* _KMQTTCTL_CONF_SPEC_H */
