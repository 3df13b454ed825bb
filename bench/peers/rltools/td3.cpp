// RLtools' own Pendulum TD3 configuration (its benchmark.cpp); argument: seed.
#define main mainWithoutAnswer
#include "benchmark.cpp"
#undef main
#include "off-policy.hpp"

int main(int argc, char** argv) { return trainAndReport<LOOP_CORE_CONFIG, DEVICE, TI>(argc > 1 ? std::atoi(argv[1]) : 0); }
