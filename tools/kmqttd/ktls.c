// SPDX-License-Identifier: GPL-2.0
/*
 * Have the kernel go on with TLS on a socket.
 */
#include "ktls.h"

#include <string.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <openssl/obj_mac.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#ifndef SOL_TLS
#define SOL_TLS		282
#endif

/* Of AES-GCM: what both sides know, and in TLS 1.2 is not in the records. */
#define GCM_SALT_SIZE	4

union crypto_info {
	struct tls_crypto_info common;
	struct tls12_crypto_info_aes_gcm_128 aes128;
	struct tls12_crypto_info_aes_gcm_256 aes256;
	struct tls12_crypto_info_chacha20_poly1305 chacha20;
};

/**
 * ktls_lengths() - how long are the keys of a cipher?
 * @version: of TLS
 * @cipher: its NID
 * @keys: where to
 *
 * Return: false if the kernel can't do it.
 */
bool ktls_lengths(unsigned int version, int cipher, struct keys *keys)
{
	switch (cipher) {
	case NID_aes_128_gcm:
		keys->key_len = TLS_CIPHER_AES_GCM_128_KEY_SIZE;
		break;
	case NID_aes_256_gcm:
		keys->key_len = TLS_CIPHER_AES_GCM_256_KEY_SIZE;
		break;
	case NID_chacha20_poly1305:
		keys->key_len = TLS_CIPHER_CHACHA20_POLY1305_KEY_SIZE;
		break;
	default:
		return false;
	}
	keys->iv_len = KEYS_IV_MAX;
	if (version == TLS1_2_VERSION && cipher != NID_chacha20_poly1305)
		keys->iv_len = GCM_SALT_SIZE;
	return true;
}

/* In TLS 1.2 the second part of the nonce is the sender's to choose. */
static void put_gcm_iv(const struct ktls_state *state, unsigned char *salt,
		       unsigned char *iv)
{
	memcpy(salt, state->keys.iv, GCM_SALT_SIZE);
	if (state->version == TLS1_2_VERSION)
		memcpy(iv, state->nonce, KTLS_NONCE_SIZE);
	else
		memcpy(iv, state->keys.iv + GCM_SALT_SIZE,
		       KEYS_IV_MAX - GCM_SALT_SIZE);
}

static void put_sequence(uint64_t sequence, unsigned char *to)
{
	int i;

	for (i = KTLS_SEQUENCE_SIZE; i--; sequence >>= 8)
		to[i] = sequence;
}

static socklen_t put_info(const struct ktls_state *state,
			  union crypto_info *info)
{
	*info = (union crypto_info){ .common.version = state->version };
	switch (state->cipher) {
	case NID_aes_128_gcm:
		info->common.cipher_type = TLS_CIPHER_AES_GCM_128;
		memcpy(info->aes128.key, state->keys.key, state->keys.key_len);
		put_gcm_iv(state, info->aes128.salt, info->aes128.iv);
		put_sequence(state->sequence, info->aes128.rec_seq);
		return sizeof(info->aes128);
	case NID_aes_256_gcm:
		info->common.cipher_type = TLS_CIPHER_AES_GCM_256;
		memcpy(info->aes256.key, state->keys.key, state->keys.key_len);
		put_gcm_iv(state, info->aes256.salt, info->aes256.iv);
		put_sequence(state->sequence, info->aes256.rec_seq);
		return sizeof(info->aes256);
	default:
		info->common.cipher_type = TLS_CIPHER_CHACHA20_POLY1305;
		memcpy(info->chacha20.key, state->keys.key,
		       state->keys.key_len);
		memcpy(info->chacha20.iv, state->keys.iv, KEYS_IV_MAX);
		put_sequence(state->sequence, info->chacha20.rec_seq);
		return sizeof(info->chacha20);
	}
}

/**
 * ktls_begin() - prepare a socket for ktls_set()
 * @fd: a connected TCP socket
 *
 * The kernel loads its module tls for it, if CAP_NET_ADMIN is there.
 *
 * Return: false with errno set if there is no TLS in the kernel.
 */
bool ktls_begin(int fd)
{
	return !setsockopt(fd, SOL_TCP, TCP_ULP, "tls", sizeof("tls"));
}

/**
 * ktls_set() - have the kernel go on with one direction
 * @fd: a socket that ktls_begin() has prepared
 * @way: which direction
 * @state: where it stands
 *
 * Return: false with errno set if it won't.
 */
bool ktls_set(int fd, enum ktls_way way, const struct ktls_state *state)
{
	union crypto_info info;
	socklen_t len = put_info(state, &info);
	int ret;

	ret = setsockopt(fd, SOL_TLS, way == KTLS_SEND ? TLS_TX : TLS_RX, &info,
			 len);
	OPENSSL_cleanse(&info, sizeof(info));
	return !ret;
}

/**
 * ktls_alert() - tell a client why it is not gone on with
 * @fd: a socket whose sending the kernel does TLS for
 * @level: warning or fatal
 * @description: of the alert
 */
void ktls_alert(int fd, unsigned char level, unsigned char description)
{
	unsigned char alert[] = { level, description };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(1)];
	} control = { .header = {
		.cmsg_len = CMSG_LEN(1),
		.cmsg_level = SOL_TLS,
		.cmsg_type = TLS_SET_RECORD_TYPE,
	} };
	struct iovec iov = { .iov_base = alert, .iov_len = sizeof(alert) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	*CMSG_DATA(&control.header) = SSL3_RT_ALERT;
	/* Who doesn't get it sees the connection's end. */
	if (sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;
}
