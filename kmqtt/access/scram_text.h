/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_ACCESS_SCRAM_TEXT_H
#define _KMQTT_ACCESS_SCRAM_TEXT_H

#include "../wire/packet.h"

/**
 * struct kmqtt_scram_first - a client-first-message, in place
 * @gs2_len: bytes in front that the client repeats later: "n,,", "n,a=NAME,"
 * @authzid: who the client wants to act as, escaped; no data if nobody
 * @name: the user, escaped
 * @nonce: the client's
 */
struct kmqtt_scram_first {
	u16 gs2_len;
	struct kmqtt_str authzid;
	struct kmqtt_str name;
	struct kmqtt_str nonce;
};

/**
 * struct kmqtt_scram_final - a client-final-message, in place
 * @binding: what the client-first-message began with, in base64
 * @nonce: the client's with the server's behind it
 * @proof: in base64
 * @signed_len: bytes in front of the proof, without the comma between
 */
struct kmqtt_scram_final {
	struct kmqtt_str binding;
	struct kmqtt_str nonce;
	struct kmqtt_str proof;
	u16 signed_len;
};

bool kmqtt_scram_read_first(const struct kmqtt_str *data,
			    struct kmqtt_scram_first *first);
bool kmqtt_scram_read_final(const struct kmqtt_str *data,
			    struct kmqtt_scram_final *final);
bool kmqtt_scram_read_name(const struct kmqtt_str *from, u8 *to, u16 max,
			   u16 *len);
bool kmqtt_scram_read_bytes(const struct kmqtt_str *from, u8 *to, u16 len);
bool kmqtt_scram_is_base64_of(const struct kmqtt_str *text, const u8 *data,
			      u16 len);

#endif /* _KMQTT_ACCESS_SCRAM_TEXT_H */
