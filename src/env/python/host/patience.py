"""Looks for the next command for a while before it sleeps: ../patience.ts says why and when, and does the same on the other side."""

from math import inf
from time import perf_counter

WINDOW, CROWDED_SECONDS, MAX_SKIPS = 256, 50e-6, 1024
BUSY_WAITS, MAX_BUSY_WAITS = 256, 4096


class Patience:
    """@param look whether something is there, at once. @param bound how long it is looked for, in seconds; 0 = not at all"""

    def __init__(self, look, bound):
        self.look, self.bound = look, bound
        self.left, self.in_line, self.busy_waits = WINDOW, seconds_in_line(), BUSY_WAITS
        self.skips, self.next_skips, self.has_looked = WINDOW, 1, False  # the machine first

    def find(self):
        """@returns whether there is something; False = sleep until then."""
        if self.bound == 0:
            return False
        self.left -= 1
        if self.left == 0:
            self.look_around()
        if self.skips > 0:
            self.skips -= 1
            return False
        self.has_looked = True
        end = perf_counter() + self.bound
        while not self.look():
            if perf_counter() > end:
                self.skips, self.next_skips = self.next_skips, min(MAX_SKIPS, 2 * self.next_skips)
                return False
        self.next_skips = max(1, self.next_skips // 2)
        return True

    def look_around(self):
        in_line = seconds_in_line()
        if in_line == inf or in_line - self.in_line > CROWDED_SECONDS * WINDOW:
            self.skips = max(self.skips, self.busy_waits)
            self.busy_waits = min(MAX_BUSY_WAITS, 2 * self.busy_waits)
        elif self.has_looked:
            self.busy_waits = BUSY_WAITS
        self.left, self.in_line, self.has_looked = WINDOW, in_line, False


def seconds_in_line():
    """How long this thread had work and no core so far; inf where the system does not tell."""
    try:
        with open("/proc/thread-self/schedstat") as file:
            return int(file.read().split()[1]) * 1e-9
    except (OSError, IndexError, ValueError):
        return inf
