/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_BENCH_SECURE_H
#define _KMQTT_BENCH_SECURE_H

struct client;
struct options;
struct ssl_ctx_st;

struct ssl_ctx_st *secure_create(const struct options *o);
void secure_read_control(struct client *c);

#endif /* _KMQTT_BENCH_SECURE_H */
