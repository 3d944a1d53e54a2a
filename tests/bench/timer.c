// Times commands in turn, A B C A B C …, so that a machine whose speed drifts is fair to all.
//
//   timer [-p MILLISECONDS] ROUNDS NAME COMMAND [NAME COMMAND]...    each COMMAND is one text, split at blanks
//
// Between two commands it waits, when asked to: back to back, each pays for what the kernel put off at the end of the
// one before, and profits from locks that are still prepared for the next writer.
//
// Prints for each: the median and the minimum of wall-clock time, the median of CPU time with all children, the
// peak memory of the command's own process, and the ratio of medians to the first.
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_COMMANDS 16
#define MAX_WORDS 64
extern char** environ;

struct command {
  const char* name;
  char* words[MAX_WORDS];
  double *wall, *cpu;
  long peak;
  int failed;
};

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static double milliseconds(struct timeval time) { return time.tv_sec * 1e3 + time.tv_usec / 1e3; }

static void run(struct command* command, int round, int pause) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  pid_t pid;
  int status;
  struct rusage usage;
  usleep(pause * 1000);
  double begin = now();
  if (posix_spawnp(&pid, command->words[0], &actions, NULL, command->words, environ) != 0) {
    perror(command->words[0]);
    exit(1);
  }
  wait4(pid, &status, 0, &usage);
  double end = now();
  posix_spawn_file_actions_destroy(&actions);
  if (status != 0) command->failed++;
  if (round < 0) return;  // to warm up
  command->wall[round] = end - begin;
  command->cpu[round] = milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
  if (usage.ru_maxrss > command->peak) command->peak = usage.ru_maxrss;
}

static int compare(const void* a, const void* b) {
  double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

int main(int count, char** arguments) {
  int pause = 0;
  if (count > 2 && strcmp(arguments[1], "-p") == 0) {
    pause = atoi(arguments[2]);
    arguments += 2;
    count -= 2;
  }
  int rounds = count > 1 ? atoi(arguments[1]) : 0;
  int commands = (count - 2) / 2;
  if (rounds < 1 || commands < 1 || commands > MAX_COMMANDS || count % 2 != 0) {
    fprintf(stderr, "usage: timer [-p MILLISECONDS] ROUNDS NAME COMMAND [NAME COMMAND]...\n");
    return 2;
  }
  struct command table[MAX_COMMANDS] = {0};
  for (int i = 0; i < commands; ++i) {
    table[i].name = arguments[2 + 2 * i];
    table[i].wall = calloc(rounds, sizeof(double));
    table[i].cpu = calloc(rounds, sizeof(double));
    int words = 0;
    for (char* word = strtok(arguments[3 + 2 * i], " "); word && words < MAX_WORDS - 1; word = strtok(NULL, " ")) {
      table[i].words[words++] = word;
    }
  }
  for (int round = -3; round < rounds; ++round) {
    for (int i = 0; i < commands; ++i) run(&table[i], round, pause);
  }
  printf("%-14s %10s %10s %10s %12s %8s %8s\n", "", "wall ms", "min ms", "cpu ms", "tree max KiB", "x wall", "x cpu");
  double first_wall = 0, first_cpu = 0;
  int failed = 0;
  for (int i = 0; i < commands; ++i) {
    qsort(table[i].wall, rounds, sizeof(double), compare);
    qsort(table[i].cpu, rounds, sizeof(double), compare);
    double wall = table[i].wall[rounds / 2], cpu = table[i].cpu[rounds / 2];
    if (i == 0) first_wall = wall, first_cpu = cpu;
    printf("%-14s %10.2f %10.2f %10.2f %12ld %8.2f %8.2f%s\n", table[i].name, wall, table[i].wall[0], cpu,
           table[i].peak, wall / first_wall, cpu / first_cpu, table[i].failed ? "   FAILED" : "");
    failed |= table[i].failed;
  }
  return failed != 0;
}
