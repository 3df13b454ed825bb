/** The public interface. Importing it registers the environments that come with Operant; everything heavy is loaded on use. */
import { registerShippedEnvs } from '../envs/index.ts';

registerShippedEnvs();

export type { A2CConfigInput, ResolvedA2CConfig } from '../algorithms/a2c/config.ts';
export { A2CConfig } from '../algorithms/a2c/index.ts';
export type { APPOConfigInput, ResolvedAPPOConfig } from '../algorithms/appo/config.ts';
export { APPOConfig } from '../algorithms/appo/index.ts';
export type { DQNConfigInput, ResolvedDQNConfig } from '../algorithms/dqn/config.ts';
export { DQNConfig } from '../algorithms/dqn/index.ts';
// Train
export { Algorithm, type FromCheckpointOptions } from '../algorithms/from-checkpoint.ts';
export type { IMPALAConfigInput, ResolvedIMPALAConfig } from '../algorithms/impala/config.ts';
export { IMPALAConfig } from '../algorithms/impala/index.ts';
export type { PPOConfigInput, ResolvedPPOConfig } from '../algorithms/ppo/config.ts';
export { PPOConfig } from '../algorithms/ppo/index.ts';
export type { PQNConfigInput, ResolvedPQNConfig } from '../algorithms/pqn/config.ts';
export { PQNConfig } from '../algorithms/pqn/index.ts';
export type { ResolvedSACConfig, SACConfigInput } from '../algorithms/sac/config.ts';
export { SACConfig } from '../algorithms/sac/index.ts';
export type { ResolvedSACDiscreteConfig, SACDiscreteConfigInput } from '../algorithms/sac-discrete/config.ts';
export { SACDiscreteConfig } from '../algorithms/sac-discrete/index.ts';
export type { ResolvedTD3Config, TD3ConfigInput } from '../algorithms/td3/config.ts';
export { TD3Config } from '../algorithms/td3/index.ts';
export type { ResolvedTQCConfig, TQCConfigInput } from '../algorithms/tqc/config.ts';
export { TQCConfig } from '../algorithms/tqc/index.ts';
// Search for settings
export { resumeStudy, Tuner, type TunerOptions } from '../algorithms/tuner.ts';
export type {
  AgentEvaluation,
  EvaluateOptions,
  EvaluationResult,
  TrainResult,
} from './algorithm/algorithm.ts';
export type { CurriculumFunction, CurriculumProgress } from './algorithm/curriculum/progress.ts';
// Use what was trained
export { type LoadPolicyOptions, loadPolicy, type Policy } from './algorithm/load-policy.ts';
export type { ActOptions, Actor } from './algorithm/policy-calls.ts';
export type { Curriculum, CurriculumStage } from './config/curriculum.ts';
export {
  type Condition,
  choice,
  conditional,
  type Domain,
  int,
  logInt,
  logUniform,
  uniform,
} from './config/search-space.ts';
// Bring an algorithm: `operant/algorithm`. A network: see CreateCustomNetwork below
export type { AlgorithmDefinition } from './define/define-algorithm.ts';
// Bring an environment of several agents
export {
  AgentEnd,
  type AgentSeat,
  type AgentsKernel,
  type AgentsKernelFactory,
  clearResults,
  type SeatResults,
  seatResults,
} from './env/agents/agents-kernel.ts';
export { multiAgentFactory } from './env/agents/kernel-multi-agent-env.ts';
export type {
  AgentFlags,
  AgentSpaces,
  AgentsInfo,
  AgentsReset,
  AgentsStep,
  MultiAgentEnv,
  MultiAgentEnvFactory,
} from './env/agents/multi-agent-env.ts';
// Bring an environment
export type { AsyncEnv, AsyncEnvFactory } from './env/async-env.ts';
export { checkEnv } from './env/check-env.ts';
export { type CheckReport, formatCheckReport } from './env/check-report.ts';
export type { Env, EnvFactory, Info, ResetOptions, ResetResult, RgbFrame, StepResult } from './env/env.ts';
export { type EnvKernel, type EnvKernelFactory, stepResults } from './env/env-kernel.ts';
export { type EnvRandom, openEnvRandom } from './env/env-random.ts';
export { singleFactory, vectorFactory } from './env/kernel-env.ts';
export { type EnvRegistration, listEnvs, registerEnv } from './env/registry.ts';
export { Box, Dict, Discrete, MultiBinary, MultiDiscrete, type Space, Tuple } from './env/spaces.ts';
export type { StepRows, VectorEnv, VectorEnvFactory } from './env/vector-env.ts';
export { vectorizeEnv } from './env/vectorize.ts';
export * from './env/wrappers/index.ts';
// What goes wrong
export {
  CheckpointError,
  ConfigError,
  EngineError,
  EnvError,
  isOperantError,
  type OperantError,
  ServeError,
  ShapeError,
  WorkerError,
} from './errors.ts';
// Take a policy elsewhere: `operant/policy`, and files for other runtimes
export type {
  ExportedPolicy,
  ExportFormat,
  ExportPolicyOptions,
} from './export/export-policy.ts';
export type { Verification } from './export/verify/verify-export.ts';
export { createPolicyServer, exportPolicy } from './exports/on-use.ts';
export type { JsonObject, JsonValue } from './json.ts';
export type { ActionDistribution, PolicyInspection } from './policy/inspection.ts';
// Experience from elsewhere, for `prefill`
export { loadEpisodes, saveEpisodes } from './replay/episode-file.ts';
export type { RecordedEpisode } from './replay/recorded-episodes.ts';
export type { ScriptedContext, ScriptedPolicy } from './rollout/agents/scripted-batch.ts';
export type { AgentSummary, EpisodeSummary } from './rollout/episode-summary.ts';
export type {
  CheckpointEvent,
  EnvFaultEvent,
  EpisodeEvent,
  EvaluateEvent,
  IterationEvent,
  RunCallbacks,
  RunControl,
  WorkerFailureEvent,
} from './run/run-callbacks.ts';
export type { RunSummary, StopReason } from './run/run-state.ts';
export type {
  Canary,
  ModelControl,
  ModelStatus,
  ResolvedSource,
  StagedModel,
} from './serve/model-control.ts';
export type { ModelUpdates } from './serve/model-updates.ts';
export type { PolicyServer } from './serve/policy-server.ts';
export type { PolicyServerOptions } from './serve/server-settings.ts';
export type { SeedStatistics } from './tune/many-seeds.ts';
export type { StudyResult, StudyRunOptions } from './tune/run-study.ts';
export type { Trial } from './tune/trial.ts';
