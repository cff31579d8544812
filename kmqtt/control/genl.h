/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/kmqtt.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_KMQTT_GEN_H
#define _LINUX_KMQTT_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/kmqtt.h>

/* Ops table for kmqtt */
extern const struct genl_split_ops kmqtt_nl_ops[32];

int kmqtt_nl_listener_get_start(struct netlink_callback *cb);
int kmqtt_nl_client_get_start(struct netlink_callback *cb);
int kmqtt_nl_session_get_start(struct netlink_callback *cb);
int kmqtt_nl_subscription_get_start(struct netlink_callback *cb);
int kmqtt_nl_retained_get_start(struct netlink_callback *cb);
int kmqtt_nl_user_get_start(struct netlink_callback *cb);
int kmqtt_nl_acl_get_start(struct netlink_callback *cb);
int kmqtt_nl_client_get_done(struct netlink_callback *cb);
int kmqtt_nl_session_get_done(struct netlink_callback *cb);
int kmqtt_nl_subscription_get_done(struct netlink_callback *cb);
int kmqtt_nl_retained_get_done(struct netlink_callback *cb);
int kmqtt_nl_user_get_done(struct netlink_callback *cb);
int kmqtt_nl_acl_get_done(struct netlink_callback *cb);

int kmqtt_nl_broker_get_doit(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_broker_set_doit(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_listener_add_doit(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_listener_del_doit(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_listener_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb);
int kmqtt_nl_client_get_doit(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_client_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int kmqtt_nl_client_kick_doit(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_session_get_doit(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_session_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb);
int kmqtt_nl_session_del_doit(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_subscription_get_dumpit(struct sk_buff *skb,
				     struct netlink_callback *cb);
int kmqtt_nl_retained_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb);
int kmqtt_nl_retained_del_doit(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_user_set_doit(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_user_del_doit(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_user_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int kmqtt_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_config_begin_doit(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_config_commit_doit(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_realm_set_doit(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_realm_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int kmqtt_nl_acl_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int kmqtt_nl_acl_add_doit(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_message_publish_doit(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_tap_add_doit(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_tap_del_doit(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_ban_add_doit(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_ban_del_doit(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_ban_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int kmqtt_nl_conn_adopt_doit(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_listener_set_doit(struct sk_buff *skb, struct genl_info *info);

#endif /* _LINUX_KMQTT_GEN_H */
