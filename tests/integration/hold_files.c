/* Opens FILE until it is refused, says by what and after how many, and lets all go. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

int main(int count, char** arguments) {
  int held = 0;
  if (count != 2)
    return 2;
  while (open(arguments[1], O_RDONLY) >= 0)
    ++held;
  printf("%d: %s\n", held, strerror(errno));
  return 0;
}
