/** `operant envs`: the environments that come with Operant, and what stands for those that do not. */
import { registerShippedEnvs } from '../../envs/index.ts';
import { makeMultiAgentEnv } from '../env/agents/load-agents-env.ts';
import { resolveEnv } from '../env/env-source.ts';
import { makeEnv } from '../env/load-env.ts';
import { listEnvs, type RegisteredEnv } from '../env/registry.ts';
import { describeSpace, spaceToJson } from '../env/space-json.ts';
import type { JsonObject } from '../json.ts';
import { installCommand, isPeerInstalled } from '../modules/import-peer.ts';
import { formatCount } from '../run/format-number.ts';
import { table } from '../run/text-table.ts';
import type { CommandContext } from './command.ts';
import { JSON_FLAG, readFlags } from './command-flags.ts';
import { EXIT } from './report-error.ts';
import { listSchemes } from './scheme-listings.ts';

const USAGE = `Usage: operant envs [flags]

Lists the environments with their spaces, time limits (steps) and reward thresholds (mean return that counts as solved); of those whose
physics is a package of its own that is not installed, how to install it. Then what lies outside (gymnasium:, pettingzoo:, external:, ...), and whether
what it needs is here.`;

/** One row, and the same as JSON. */
interface EnvListing {
  readonly cells: readonly string[];
  readonly json: JsonObject;
}

export async function envsCommand(context: CommandContext): Promise<number> {
  const flags = readFlags(context, USAGE, [JSON_FLAG]);
  if (flags === null) return EXIT.done;
  registerShippedEnvs();
  const listings = [...(await Promise.all(listEnvs().map(describeEnv))), ...listSchemes()];
  if (flags.get('json') === 'true') {
    context.stdout.write(
      `${JSON.stringify(
        listings.map(({ json }) => json),
        null,
        2,
      )}\n`,
    );
    return EXIT.done;
  }
  const head = ['id', 'observation', 'action', 'limit', 'threshold', ''];
  context.stdout.write(`${table([head, ...listings.map(({ cells }) => cells)])}\n`);
  context.stdout.write('\nYour own: --env ./my-env.ts, or ./my-env.ts#name for a named export.\n');
  context.stdout.write(
    'Ids with a colon stand for what is in Python (docs/python.md) or connects (docs/external.md).\n',
  );
  return EXIT.done;
}

async function describeEnv(registered: RegisteredEnv): Promise<EnvListing> {
  const { id, description = '', rewardThreshold, maxEpisodeSteps, peer } = registered;
  const needs = peer === undefined ? null : `${peer.name}@${peer.version}`;
  if (peer !== undefined && !isPeerInstalled(peer)) {
    return {
      cells: [
        id,
        '-',
        '-',
        '-',
        rewardThreshold === undefined ? '-' : String(rewardThreshold),
        `${description} Not installed: ${installCommand(peer)}`,
      ],
      json: { id, description, isInstalled: false, needs, rewardThreshold: rewardThreshold ?? null },
    };
  }
  if (registered.agents === true) return describeAgentsEnv(registered);
  const env = await makeEnv(resolveEnv(id));
  const limit = maxEpisodeSteps ?? env.maxEpisodeSteps ?? null;
  const { observationSpace, actionSpace } = env;
  env.close?.();
  return {
    cells: [
      id,
      describeSpace(observationSpace),
      describeSpace(actionSpace),
      limit === null ? 'none' : formatCount(limit),
      rewardThreshold === undefined ? '-' : String(rewardThreshold),
      description,
    ],
    json: {
      id,
      description,
      isInstalled: true,
      needs,
      observationSpace: spaceToJson(observationSpace),
      actionSpace: spaceToJson(actionSpace),
      maxEpisodeSteps: limit,
      rewardThreshold: rewardThreshold ?? null,
    },
  };
}

/** Spaces of the first agent; those of the others only where they differ. */
async function describeAgentsEnv({
  id,
  description = '',
  maxEpisodeSteps,
}: RegisteredEnv): Promise<EnvListing> {
  const env = await makeMultiAgentEnv(resolveEnv(id));
  const limit = maxEpisodeSteps ?? env.maxEpisodeSteps ?? null;
  const names = Object.keys(env.agents);
  const spaces = (key: 'observationSpace' | 'actionSpace') => [
    ...new Set(names.map((name) => describeSpace(env.agents[name][key]))),
  ];
  env.close?.();
  return {
    cells: [
      id,
      spaces('observationSpace').join('; '),
      spaces('actionSpace').join('; '),
      limit === null ? 'none' : formatCount(limit),
      '-',
      `${description} Agents: ${names.join(', ')}.`,
    ],
    json: {
      id,
      description,
      agents: Object.fromEntries(
        names.map((name) => [
          name,
          {
            observationSpace: spaceToJson(env.agents[name].observationSpace),
            actionSpace: spaceToJson(env.agents[name].actionSpace),
          },
        ]),
      ),
      maxEpisodeSteps: limit,
      rewardThreshold: null,
    },
  };
}
