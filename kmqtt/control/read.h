/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Values that a request may change: each stays as it is if its attribute isn't
 * there.
 */
#ifndef _KMQTT_CONTROL_READ_H
#define _KMQTT_CONTROL_READ_H

#include <net/genetlink.h>

/**
 * kmqtt_nl_read_u8() - change a value if the request says so
 * @info: the request
 * @attr: its attribute, whose type the policy has checked
 * @value: the value
 *
 * Context: any.
 */
static inline void kmqtt_nl_read_u8(const struct genl_info *info, int attr,
				    u8 *value)
{
	if (info->attrs[attr])
		*value = nla_get_u8(info->attrs[attr]);
}

/**
 * kmqtt_nl_read_u16() - change a value if the request says so
 * @info: the request
 * @attr: its attribute, whose type the policy has checked
 * @value: the value
 *
 * Context: any.
 */
static inline void kmqtt_nl_read_u16(const struct genl_info *info, int attr,
				     u16 *value)
{
	if (info->attrs[attr])
		*value = nla_get_u16(info->attrs[attr]);
}

/**
 * kmqtt_nl_read_u32() - change a value if the request says so
 * @info: the request
 * @attr: its attribute, whose type the policy has checked
 * @value: the value
 *
 * Context: any.
 */
static inline void kmqtt_nl_read_u32(const struct genl_info *info, int attr,
				     u32 *value)
{
	if (info->attrs[attr])
		*value = nla_get_u32(info->attrs[attr]);
}

/**
 * kmqtt_nl_read_u64() - change a value if the request says so
 * @info: the request
 * @attr: its attribute, whose type the policy has checked
 * @value: the value
 *
 * Context: any.
 */
static inline void kmqtt_nl_read_u64(const struct genl_info *info, int attr,
				     u64 *value)
{
	if (info->attrs[attr])
		*value = nla_get_uint(info->attrs[attr]);
}

/**
 * kmqtt_nl_read_bool() - change a value if the request says so
 * @info: the request
 * @attr: its attribute, whose type the policy has checked
 * @value: the value
 *
 * Context: any.
 */
static inline void kmqtt_nl_read_bool(const struct genl_info *info, int attr,
				      bool *value)
{
	if (info->attrs[attr])
		*value = nla_get_u8(info->attrs[attr]);
}

#endif /* _KMQTT_CONTROL_READ_H */
