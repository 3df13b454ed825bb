// RLtools' own Pendulum SAC configuration (its training.h); argument: seed.
#define run runWithoutAnswer
#include "training.h"
#undef run
#include "off-policy.hpp"

int main(int argc, char** argv) { return trainAndReport<LOOP_CORE_CONFIG, DEVICE, TI>(argc > 1 ? std::atoi(argv[1]) : 0); }
