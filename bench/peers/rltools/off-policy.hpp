// Trains with `Core`, an off-policy configuration of RLtools, plays 100 greedy episodes outside of the clock, and prints one JSON line. Included last.
#include <rl_tools/rl/loop/steps/evaluation/operations_generic.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>

template <typename Core, typename Index>
struct Evaluation : rlt::rl::loop::steps::evaluation::Parameters<typename Core::TYPE_POLICY, Index, Core> {
    static constexpr bool DETERMINISTIC_EVALUATION = false;  // none on the way
    static constexpr Index NUM_EVALUATION_EPISODES = 100;
};

template <typename Core, typename Device, typename Index>
int trainAndReport(Index seed) {
    using Parameters = Evaluation<Core, Index>;
    using Config = rlt::rl::loop::steps::evaluation::Config<Core, Parameters>;
    Device device;
    static typename Config::template State<Config> state;
    rlt::malloc(device, state);
    rlt::init(device, state, seed);
    const auto begin = std::chrono::steady_clock::now();
    const std::clock_t cpu = std::clock();
    while (!rlt::step(device, state)) {
    }
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
    const double cpuSeconds = double(std::clock() - cpu) / CLOCKS_PER_SEC;
    auto& result = rlt::get(state.evaluation_results, 0, 0);
    auto actor = rlt::get_actor(state);
    rlt::evaluate(device, state.env_eval, state.ui, actor, state.actor_deterministic_evaluation_state,
                  state.actor_deterministic_evaluation_buffers, state.evaluation_buffer, result, state.rng_eval,
                  state.evaluation_mode);
    const unsigned long steps = Core::CORE_PARAMETERS::STEP_LIMIT;
    std::printf("{\"seconds\": %.6f, \"cpuSeconds\": %.6f, \"envSteps\": %lu, \"returns\": [", elapsed.count(), cpuSeconds, steps);
    for (Index k = 0; k < Parameters::NUM_EVALUATION_EPISODES; k++)
        std::printf("%s%.3f", k ? ", " : "", double(result.returns[k]));
    std::printf("]}\n");
    return 0;
}
