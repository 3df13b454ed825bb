/**
 * Ray's Jobs REST interface, as far as submitting and watching needs it. Source: the OpenAPI description of Ray's job submission (openapi.yml), Ray 2.54 to 2.60.
 *
 * Every call ends within a deadline, and what goes wrong is one ClusterError. The token goes into a header and nowhere else.
 */
import { WebSocket } from 'ws';
import { ClusterError, ConfigError } from '../../errors.ts';
import { readToken } from '../auth-token.ts';
import { parseRayAddress, requireToken } from '../ray-address.ts';
import { type HttpAnswer, type HttpRequest, httpRequest } from './http-request.ts';

/** A job is over with one of the last three. */
export type JobStatus = 'PENDING' | 'RUNNING' | 'STOPPED' | 'SUCCEEDED' | 'FAILED';

export interface JobInfo {
  readonly id: string;
  readonly status: JobStatus;
  readonly message: string;
  readonly entrypoint: string;
  /** Of the entrypoint's process; null = it has not ended. */
  readonly exitCode: number | null;
  /** Milliseconds since 1970; null = not yet. */
  readonly startTime: number | null;
  readonly endTime: number | null;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface JobRequest {
  /** A shell's command line. */
  readonly entrypoint: string;
  /** URI of an uploaded package. */
  readonly workingDir: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly numCpus: number;
  readonly resources: Readonly<Record<string, number>>;
}

export interface JobsClient {
  readonly address: string;
  /** Version of the cluster's Ray. The first call, so that a wrong address or token shows before anything is sent. */
  version(): Promise<string>;
  /** Sends a package unless the cluster has it. @returns its URI. */
  upload(name: string, bytes: Uint8Array): Promise<string>;
  /** @returns the job's id. */
  submit(job: JobRequest): Promise<string>;
  info(id: string): Promise<JobInfo>;
  /** Newest first; jobs that were submitted, not drivers that came by themselves. */
  list(): Promise<readonly JobInfo[]>;
  /** All that it has written so far. */
  logs(id: string): Promise<string>;
  /** Hands on what it writes, from its beginning, until the connection ends: with the job, or before. */
  tail(id: string, onText: (text: string) => void, signal: AbortSignal): Promise<void>;
  /** SIGTERM. @returns whether it was running. */
  stop(id: string): Promise<boolean>;
}

const DEADLINE_MS = 8_000;
const UPLOAD_DEADLINE_MS = 600_000;
/** What the dashboard takes in one request. */
export const MAX_PACKAGE_BYTES = 100 * 2 ** 20;
const DEFAULT_ADDRESS = 'http://127.0.0.1:8265';

/**
 * Connects to nothing yet.
 *
 * @param address of the dashboard, `http://HOST:8265`; absent = RAY_API_SERVER_ADDRESS, else this machine's.
 * @throws ConfigError `CONFIG_RAY_ADDRESS`; ClusterError `CLUSTER_TOKEN` for another machine without a token, unless `insecure`.
 */
export function createJobsClient(address: string | undefined, insecure: boolean): JobsClient {
  const url = parseJobsAddress(address ?? process.env.RAY_API_SERVER_ADDRESS ?? DEFAULT_ADDRESS);
  const token = readToken();
  requireToken(
    parseRayAddress(url.host.includes(':') ? url.host : `${url.host}:${portOf(url)}`),
    insecure,
    () => token !== null,
  );
  const base = url.href.replace(/\/$/, '');
  const headers: Record<string, string> = token === null ? {} : { Authorization: `Bearer ${token}` };
  const ask: Ask = async (path, { deadlineMs = DEADLINE_MS, ...request } = {}) => {
    const answer = await httpRequest(`${base}${path}`, {
      ...request,
      deadlineMs,
      headers: { ...headers, ...request.headers },
    }).catch((error: unknown) => {
      throw unreachable(base, error, deadlineMs);
    });
    if (answer.status === 401 || answer.status === 403) throw refused(base, token !== null);
    return answer;
  };
  const jobPath = (id: string) => `/api/jobs/${encodeURIComponent(id)}`;
  const askJob = async (id: string, path = '', request: Partial<HttpRequest> = {}) => {
    const answer = await ask(`${jobPath(id)}${path}`, request);
    if (answer.status === 404) throw unknownJob(base, id);
    return read(answer, base);
  };
  return {
    address: base,
    async version() {
      const response = await ask('/api/version');
      if (response.status === 404) throw noJobs(base, 'there is no /api/version');
      const { ray_version } = read(response, base) as { readonly ray_version?: string };
      if (ray_version === undefined) throw noJobs(base, 'it names no version of Ray');
      return ray_version;
    },
    upload: (name, bytes) => upload(ask, base, name, bytes),
    async submit({ entrypoint, workingDir, environment, metadata, numCpus, resources }) {
      const body = {
        entrypoint,
        metadata,
        runtime_env: { working_dir: workingDir, env_vars: environment },
        ...(numCpus === 0 ? {} : { entrypoint_num_cpus: numCpus }),
        ...(Object.keys(resources).length === 0 ? {} : { entrypoint_resources: resources }),
      };
      const response = await ask('/api/jobs/', asJson(body));
      const { submission_id } = read(response, base) as { readonly submission_id: string };
      return submission_id;
    },
    async info(id) {
      return toInfo((await askJob(id)) as WireJob);
    },
    async list() {
      const jobs = read(await ask('/api/jobs/'), base) as readonly WireJob[];
      return jobs
        .filter(({ type }) => type === 'SUBMISSION')
        .map(toInfo)
        .sort((a, b) => (b.startTime ?? 0) - (a.startTime ?? 0));
    },
    async logs(id) {
      return ((await askJob(id, '/logs')) as { readonly logs: string }).logs;
    },
    tail: (id, onText, signal) =>
      tail(`${base.replace(/^http/, 'ws')}${jobPath(id)}/logs/tail`, headers, onText, signal),
    async stop(id) {
      return ((await askJob(id, '/stop', { method: 'POST' })) as { readonly stopped: boolean }).stopped;
    },
  };
}

type Ask = (path: string, request?: Partial<HttpRequest>) => Promise<HttpAnswer>;

async function upload(ask: Ask, base: string, name: string, body: Uint8Array): Promise<string> {
  const path = `/api/packages/gcs/${name}`;
  const known = await ask(path);
  if (known.status === 404) {
    const answer = await ask(path, { method: 'PUT', body, deadlineMs: UPLOAD_DEADLINE_MS });
    if (answer.status === 413)
      throw new ClusterError(
        'CLUSTER_PACKAGE_SIZE',
        `The cluster at ${base} does not take a package of ${(body.length / 2 ** 20).toFixed(1)} MiB. Move what the run does not need out of the project.`,
      );
    checkAnswer(answer, base);
  } else checkAnswer(known, base);
  return `gcs://${name}`;
}

function tail(
  url: string,
  headers: Record<string, string>,
  onText: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, { headers, handshakeTimeout: DEADLINE_MS });
    const end = () => socket.terminate();
    signal.addEventListener('abort', end, { once: true });
    socket.on('message', (data) => onText(String(data)));
    socket.on('error', () => undefined); // 'close' follows
    socket.on('close', () => {
      signal.removeEventListener('abort', end);
      resolve();
    });
  });
}

/** @throws ConfigError `CONFIG_RAY_ADDRESS` */
function parseJobsAddress(text: string): URL {
  const whole = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`;
  if (URL.canParse(whole)) {
    const url = new URL(whole);
    if (url.username !== '' || url.password !== '') {
      // not shown: it may hold a secret
      throw new ConfigError(
        'CONFIG_RAY_ADDRESS',
        'Expected --address without a user or password: a token is read from RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH.',
      );
    }
    if (url.protocol === 'http:' || url.protocol === 'https:') return url;
  }
  throw new ConfigError(
    'CONFIG_RAY_ADDRESS',
    `Expected --address to be that of Ray's dashboard, http://HOST:8265 or https://HOST, got \`${text}\`.`,
  );
}

const portOf = ({ port, protocol }: URL) => port || (protocol === 'https:' ? '443' : '80');

const asJson = (body: object): Partial<HttpRequest> => ({
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: Buffer.from(JSON.stringify(body)),
  deadlineMs: UPLOAD_DEADLINE_MS,
});

interface WireJob {
  readonly type: string;
  readonly submission_id?: string | null;
  readonly job_id?: string | null;
  readonly status: JobStatus;
  readonly message?: string | null;
  readonly entrypoint?: string | null;
  readonly start_time?: number | null;
  readonly end_time?: number | null;
  readonly driver_exit_code?: number | null;
  readonly metadata?: Readonly<Record<string, string>> | null;
}

function toInfo(job: WireJob): JobInfo {
  return {
    id: job.submission_id ?? job.job_id ?? '',
    status: job.status,
    message: job.message ?? '',
    entrypoint: job.entrypoint ?? '',
    exitCode: job.driver_exit_code ?? null,
    startTime: job.start_time ?? null,
    endTime: job.end_time ?? null,
    metadata: job.metadata ?? {},
  };
}

function checkAnswer({ status, text }: HttpAnswer, base: string): void {
  if (status >= 200 && status < 300) return;
  const last = text.trim().split('\n').at(-1)?.slice(0, 300);
  throw new ClusterError('CLUSTER_JOBS', `Ray's dashboard at ${base} answers with ${status}: ${last}`);
}

function read(answer: HttpAnswer, base: string): unknown {
  checkAnswer(answer, base);
  try {
    return JSON.parse(answer.text);
  } catch {
    throw noJobs(base, 'its answer is no JSON');
  }
}

function unreachable(base: string, error: unknown, deadlineMs: number): ClusterError {
  const { name, code } = error as NodeJS.ErrnoException;
  const why = name === 'TimeoutError' ? `no answer within ${deadlineMs / 1000} s` : (code ?? String(error));
  return new ClusterError(
    'CLUSTER_UNREACHABLE',
    `Nobody answers at ${base} (${why}). It has to be Ray's dashboard, port 8265 of the head, started with \`ray start --head\` and reachable from here (\`--dashboard-host 0.0.0.0\`, a tunnel, a proxy).`,
    { cause: error },
  );
}

function refused(base: string, hadToken: boolean): ClusterError {
  const what = hadToken
    ? 'the token here is another one than its'
    : 'it wants a token, and there is none here';
  return new ClusterError(
    'CLUSTER_TOKEN',
    `${base} refuses us: ${what}. Set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH to the cluster's.`,
  );
}

const noJobs = (base: string, why: string) =>
  new ClusterError(
    'CLUSTER_JOBS',
    `${base} is no dashboard of Ray with jobs: ${why}. The head needs \`pip install "ray[default]"\`; its dashboard listens on port 8265.`,
  );

const unknownJob = (base: string, id: string) =>
  new ClusterError('CLUSTER_JOB', `${base} knows no job \`${id}\`. \`operant ray status\` lists them.`);
