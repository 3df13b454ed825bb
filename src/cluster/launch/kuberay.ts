/** A RayJob, or a RayCluster to which jobs are sent, for KubeRay 1.5.1 and later (`ray.io/v1`; token authentication is of that version). */
import { commandLine, type LaunchOptions, quoted, RAY_VERSION } from './launch-options.ts';

const RUNS = '/runs';

/** YAML of one object, and of the claim for runs where it is to be made. */
export function kuberayManifest(options: LaunchOptions): string {
  const { name, command } = options;
  const isJob = command.length > 0;
  const head = isJob
    ? [
        '# A learner and its rollout hosts: they come, train, and go. kubectl apply -f FILE; kubectl logs -f job/NAME follows it.',
        `# Needs KubeRay 1.5.1, the image, and a PersistentVolumeClaim \`${options.runs}\` (ReadWriteMany is not needed: only the head writes).`,
        'apiVersion: ray.io/v1',
        'kind: RayJob',
        ...metadata(name),
        'spec:',
        `  entrypoint: ${quoted(commandLine(command, options, RUNS))}`,
        '  shutdownAfterJobFinishes: true',
        '  ttlSecondsAfterFinished: 600',
        '  backoffLimit: 0 # the run folder is there: --resume goes on',
        '  rayClusterSpec:',
      ]
    : [
        '# A cluster for runs: kubectl port-forward service/NAME-head-svc 8265, then `operant ray submit -- train ...`.',
        `# Needs KubeRay 1.5.1, the image, and a PersistentVolumeClaim \`${options.runs}\`. The token: kubectl get secret NAME -o jsonpath={.data.auth_token} | base64 -d`,
        'apiVersion: ray.io/v1',
        'kind: RayCluster',
        ...metadata(name),
        'spec:',
      ];
  const indent = isJob ? '    ' : '  ';
  return `${[...head, ...clusterSpec(options).map((line) => `${indent}${line}`)].join('\n')}\n`;
}

const metadata = (name: string) => ['metadata:', `  name: ${quoted(name)}`];

function clusterSpec(options: LaunchOptions): string[] {
  const { numHosts, maxHosts } = options;
  const isElastic = maxHosts !== null;
  return [
    `rayVersion: ${quoted(RAY_VERSION)}`,
    'authOptions:',
    '  mode: token # KubeRay makes the secret and hands it to every container',
    ...(isElastic
      ? ['enableInTreeAutoscaling: true', 'autoscalerOptions:', '  idleTimeoutSeconds: 120']
      : []),
    'headGroupSpec:',
    '  rayStartParams:',
    '    num-cpus: "0" # the learner, no rollout hosts',
    '    dashboard-host: "0.0.0.0"',
    ...podTemplate('head', options, true),
    'workerGroupSpecs:',
    '  - groupName: rollout',
    `    replicas: ${numHosts}`,
    `    minReplicas: ${numHosts}`,
    `    maxReplicas: ${maxHosts ?? numHosts}`,
    '    rayStartParams:',
    `      num-cpus: ${quoted(options.cpusPerHost)}`,
    ...podTemplate('host', options, false).map((line) => `  ${line}`),
  ];
}

/** Lost hosts are noticed within seconds. */
const FAST_CHECKS = {
  RAY_health_check_initial_delay_ms: '5000',
  RAY_health_check_period_ms: '1000',
  RAY_health_check_timeout_ms: '2000',
  RAY_health_check_failure_threshold: '4',
};

function podTemplate(container: string, options: LaunchOptions, isHead: boolean): string[] {
  const { image, cpusPerHost, memoryGiB, gpus, runs } = options;
  const gpu = isHead && gpus > 0 ? [`              nvidia.com/gpu: ${quoted(gpus)}`] : [];
  const resources = [
    `              cpu: ${quoted(cpusPerHost)}`,
    `              memory: ${quoted(`${memoryGiB}Gi`)}`,
    ...gpu,
  ];
  return [
    '  template:',
    '    spec:',
    '      containers:',
    `        - name: ${container}`,
    `          image: ${quoted(image)}`,
    '          env:',
    ...Object.entries({ ...FAST_CHECKS, RAY_USAGE_STATS_ENABLED: '0' }).flatMap(([name, value]) => [
      `            - name: ${name}`,
      `              value: ${quoted(value)}`,
    ]),
    '          resources:',
    '            requests:',
    ...resources,
    '            limits:',
    ...resources,
    ...(isHead
      ? [
          '          ports:',
          ...[
            ['gcs-server', 6379],
            ['dashboard', 8265],
            ['client', 10001],
          ].flatMap(([name, port]) => [
            `            - containerPort: ${port}`,
            `              name: ${name}`,
          ]),
          '          volumeMounts:',
          '            - name: runs',
          `              mountPath: ${RUNS}`,
          '      volumes:',
          '        - name: runs',
          '          persistentVolumeClaim:',
          `            claimName: ${quoted(runs)}`,
        ]
      : []),
  ];
}
