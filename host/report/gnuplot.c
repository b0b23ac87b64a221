/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs gnuplot on a script. */
#include "host/report/gnuplot.h"

#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

void gnuplot_quote(FILE *f, const char *text)
{
	fputc('\'', f);
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f || *text == '`')
			fputc('?', f);
		else if (*text == '\'')
			fputs("''", f);
		else
			fputc(*text, f);
	}
	fputc('\'', f);
}

static int write_all(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t n = write(fd, text, left);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			text += n;
			left -= (size_t)n;
		}
	}
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

/*
 * Files in memory, not pipes: nobody has to read and write at the same time. -d: what
 * its user likes in other pictures is not asked for.
 */
static int spawn(pid_t *pid, int script_fd, int said_fd, int output_fd)
{
	static const char *const argv[] = { "gnuplot", "-d", "-", NULL };
	posix_spawn_file_actions_t fa;
	int err = posix_spawn_file_actions_init(&fa);

	if (err)
		return -err;
	err = posix_spawn_file_actions_adddup2(&fa, script_fd, STDIN_FILENO);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&fa, said_fd, STDOUT_FILENO);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&fa, said_fd, STDERR_FILENO);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&fa, output_fd, 3);
	if (!err)
		err = posix_spawnp(pid, argv[0], &fa, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	return -err;
}

/* The last line it said is the message; the ones before quote the script. */
static void last_line(int fd, char *why, size_t bytes)
{
	off_t end = lseek(fd, 0, SEEK_END), room = (off_t)bytes - 1;
	ssize_t n = pread(fd, why, bytes - 1, end > room ? end - room : 0);
	char *line;

	why[n > 0 ? n : 0] = '\0';
	n = (ssize_t)strlen(why);
	while (n && strchr("\n\r ", why[n - 1]))
		why[--n] = '\0';
	line = strrchr(why, '\n');
	if (line)
		memmove(why, line + 1, strlen(line));
}

static int wait_for(pid_t pid, int said_fd, char *why, size_t bytes)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	last_line(said_fd, why, bytes);
	if (!*why && WIFSIGNALED(status))
		snprintf(why, bytes, "killed by signal %d", WTERMSIG(status));
	else if (!*why)
		snprintf(why, bytes, "exit status %d", WEXITSTATUS(status));
	return -EIO;
}

int gnuplot_run(const char *script, int output_fd, char *why, size_t why_bytes)
{
	int script_fd, said_fd, ret;
	pid_t pid = -1;

	why[0] = '\0';
	script_fd = memfd_create("script", MFD_CLOEXEC);
	if (script_fd < 0)
		return -errno;
	said_fd = memfd_create("said", MFD_CLOEXEC);
	ret = said_fd < 0 ? -errno : write_all(script_fd, script);
	if (!ret)
		ret = spawn(&pid, script_fd, said_fd, output_fd);
	if (!ret)
		ret = wait_for(pid, said_fd, why, why_bytes);
	if (said_fd >= 0)
		close(said_fd);
	close(script_fd);
	return ret;
}
