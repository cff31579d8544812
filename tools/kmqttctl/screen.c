// SPDX-License-Identifier: GPL-2.0
/*
 * A terminal that something is drawn on again and again, and that is given back
 * as it was, however that ends. The sequences are those of ECMA-48 and of
 * xterm, which terminals of today have in common.
 */
#include "screen.h"

#include <err.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "exit.h"
#include "text.h"

#define CSI "\033["

static const int signals[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH,
};

static struct {
	bool open;
	bool has_keys;
	struct termios before;	/* if has_keys */
	int signals;		/* signalfd */
} screen;

/* Keys one by one, and not shown. */
static void take_keys(void)
{
	struct termios keys;

	screen.has_keys = !tcgetattr(STDIN_FILENO, &screen.before);
	if (!screen.has_keys)
		return;
	keys = screen.before;
	keys.c_lflag &= ~(ICANON | ECHO);
	keys.c_cc[VMIN] = 1;
	keys.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &keys);
}

static void take(void)
{
	take_keys();
	/* Another page, without a cursor. */
	fputs(CSI "?1049h" CSI "?25l", stdout);
	fflush(stdout);
	screen.open = true;
}

/**
 * screen_close() - give the terminal back
 *
 * It is done at exit, too, and but once.
 */
void screen_close(void)
{
	if (!screen.open)
		return;
	screen.open = false;
	fputs(CSI "?25h" CSI "?1049l", stdout);
	fflush(stdout);
	if (screen.has_keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &screen.before);
}

/**
 * screen_open() - take the terminal
 */
void screen_open(void)
{
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(&set, signals[i]);
	screen.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (screen.signals < 0 || sigprocmask(SIG_BLOCK, &set, NULL) ||
	    atexit(screen_close))
		err(EXIT_FAILED, "terminal");
	take();
}

/**
 * screen_size() - how large the terminal is at present
 * @rows: its height
 * @columns: its width
 */
void screen_size(size_t *rows, size_t *columns)
{
	struct winsize size;

	*rows = 24;
	*columns = 80;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		return;
	if (size.ws_row)
		*rows = size.ws_row;
	if (size.ws_col)
		*columns = size.ws_col;
}

/**
 * screen_begin() - begin to draw, from the top
 */
void screen_begin(void)
{
	fputs(CSI "H", stdout);
}

/**
 * screen_line() - draw a line in place of what was there
 * @text: what text_escape() made, or plain ASCII; it is cut to fit
 */
void screen_line(const char *text)
{
	size_t rows, columns;

	screen_size(&rows, &columns);
	fwrite(text, 1, text_fit(text, columns), stdout);
	fputs(CSI "K\n", stdout);
}

/**
 * screen_end() - nothing more is to be drawn
 */
void screen_end(void)
{
	fputs(CSI "J", stdout);
	fflush(stdout);
}

/* As any program does that is stopped: others want the terminal meanwhile. */
static void stop(void)
{
	screen_close();
	raise(SIGSTOP);
	take();
}

static enum screen_event on_signal(void)
{
	struct signalfd_siginfo info;

	if (read(screen.signals, &info, sizeof(info)) != sizeof(info))
		return SCREEN_RESIZED;
	switch (info.ssi_signo) {
	case SIGTSTP:
		stop();
		return SCREEN_RESIZED;
	case SIGWINCH:
		return SCREEN_RESIZED;
	default:
		return SCREEN_QUIT;
	}
}

static enum screen_event on_key(void)
{
	char key;

	if (read(STDIN_FILENO, &key, 1) != 1)
		return SCREEN_QUIT;
	if (key == 'q' || key == 'Q')
		return SCREEN_QUIT;
	return key == ' ' ? SCREEN_TIMEOUT : SCREEN_RESIZED;
}

/**
 * screen_wait() - wait until it is time to draw again
 * @milliseconds: for how long
 *
 * Return: why it is.
 */
enum screen_event screen_wait(int milliseconds)
{
	struct pollfd fds[] = {
		{ .fd = screen.signals, .events = POLLIN },
		{ .fd = screen.has_keys ? STDIN_FILENO : -1, .events = POLLIN },
	};

	if (poll(fds, 2, milliseconds) <= 0)
		return SCREEN_TIMEOUT;
	return fds[0].revents ? on_signal() : on_key();
}
