// RLtools' own Pendulum PPO configuration (its config.h), timed without evaluation; arguments: seed, and environment steps
// (without them, as many as its own limit). Prints one JSON line.
#include <rl_tools/operations/cpu_mux.h>

#include <rl_tools/rl/environments/pendulum/operations_generic.h>
#include <rl_tools/rl/environment_wrappers/scale_observations/operations_generic.h>

#include <rl_tools/nn/optimizers/adam/instance/operations_generic.h>
#include <rl_tools/nn/operations_cpu_mux.h>
#include <rl_tools/nn/layers/standardize/operations_generic.h>
#include <rl_tools/nn_models/mlp_unconditional_stddev/operations_generic.h>
#include <rl_tools/nn_models/sequential/operations_generic.h>
#include <rl_tools/nn/optimizers/adam/operations_generic.h>

#include <rl_tools/rl/algorithms/ppo/loop/core/config.h>
#include <rl_tools/rl/loop/steps/evaluation/config.h>
#include <rl_tools/rl/loop/steps/timing/config.h>
#include <rl_tools/rl/algorithms/ppo/loop/core/operations_generic.h>
#include <rl_tools/rl/loop/steps/evaluation/operations_generic.h>
#include <rl_tools/rl/loop/steps/timing/operations_cpu.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <utility>

namespace rlt = rl_tools;
#include "config.h"

using Device = rlt::devices::DEVICE_FACTORY<>;
using TypePolicy = rlt::numeric_types::Policy<float>;
using Index = typename Device::index_t;
using Config = CONFIG_FACTORY<Device, TypePolicy, true>;
using Loop = Config::LOOP_CORE_CONFIG;
using State = typename Loop::template State<Loop>;

constexpr Index NUM_EPISODES = 100;
using EvaluationSpec = rlt::rl::utils::evaluation::Specification<
    TypePolicy, Index, typename Config::LOOP_TIMING_CONFIG::ENVIRONMENT_EVALUATION, NUM_EPISODES, Config::ENVIRONMENT::EPISODE_STEP_LIMIT>;
using Policy = rlt::utils::typing::remove_reference_t<decltype(rlt::get_actor(std::declval<State>()))>;
using Buffer = rlt::rl::utils::evaluation::PolicyBuffer<rlt::rl::utils::evaluation::PolicyBufferSpecification<EvaluationSpec, Policy, true>>;

int main(int argc, char** argv) {
    const Index seed = argc > 1 ? std::atoi(argv[1]) : 0;
    constexpr Index STEPS_PER_ITERATION = Config::LOOP_CORE_PARAMETERS::N_ENVIRONMENTS * Config::LOOP_CORE_PARAMETERS::ON_POLICY_RUNNER_STEPS_PER_ENV;
    const Index numSteps = argc > 2 ? std::atol(argv[2]) : Config::LOOP_CORE_PARAMETERS::TOTAL_STEP_LIMIT;
    Device device;
    State state;
    Buffer buffer;
    rlt::malloc(device, state);
    rlt::malloc(device, buffer);
    rlt::init(device, state, seed);
    const auto begin = std::chrono::steady_clock::now();
    const std::clock_t cpu = std::clock();
    while ((Index)state.step * STEPS_PER_ITERATION < numSteps) rlt::step(device, state);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
    const double cpuSeconds = double(std::clock() - cpu) / CLOCKS_PER_SEC;
    rlt::rl::utils::evaluation::Result<EvaluationSpec> result;
    auto actor = rlt::get_actor(state);
    auto& env = rlt::get_ref(device, state.envs, 0);
    rlt::evaluate(device, env, state.ui, actor, buffer, result, state.rng, rlt::Mode<rlt::mode::Evaluation<>>{});
    const unsigned long steps = (unsigned long)state.step * STEPS_PER_ITERATION;
    std::printf("{\"seconds\": %.6f, \"cpuSeconds\": %.6f, \"envSteps\": %lu, \"returns\": [", elapsed.count(), cpuSeconds, steps);
    for (Index k = 0; k < NUM_EPISODES; k++) std::printf("%s%.3f", k ? ", " : "", (double)result.returns[k]);
    std::printf("]}\n");
    return 0;
}
