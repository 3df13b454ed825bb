/**
 * A policy server for Kubernetes: deployment, service, disruption budget, and what scales it by requests that have no answer yet.
 *
 * These wait or are in a model (`operant_serve_in_flight` counts both), so one number says how far behind the pods are, while processor time says nothing of a queue.
 */
import type { YamlValue } from '../files/yaml-text.ts';

export interface ManifestOptions {
  /** Of all objects. */
  readonly name: string;
  readonly image: string;
  /** Arguments of `operant serve`: policies and limits; where it listens is added. */
  readonly args: readonly string[];
  readonly replicas: number;
  readonly maxReplicas: number;
  readonly autoscaler: 'none' | 'hpa' | 'keda';
  /** Requests without an answer that a pod may have before another one is started. */
  readonly targetInFlight: number;
  /** Where KEDA asks; of a Prometheus that scrapes the pods. */
  readonly prometheus: string;
  /** A secret whose key `token` opens the server. */
  readonly tokenSecret: string;
  /** A claim that holds the policies, mounted read-only at /models; null = they are in the image. */
  readonly claim: string | null;
  /** Clients stay with a pod, as far as their addresses differ: for sessions of recurrent policies. */
  readonly hasSessions: boolean;
  /** Of a container, as Kubernetes writes them. */
  readonly cpu: string;
  readonly memory: string;
}

type Manifest = { readonly [name: string]: YamlValue };

const PORT = 8000;
const ADMIN_PORT = 8001;
/** Balancers go on sending for a while after a pod has begun to end. */
const PRE_STOP_SECONDS = 5;
const GRACE_SECONDS = 30;
const UP_SECONDS = 30;
const DOWN_SECONDS = 300;
const USER = 1000; // of the image

export function serveManifests(options: ManifestOptions): Manifest[] {
  const { autoscaler } = options;
  return [
    deployment(options),
    service(options),
    disruptionBudget(options),
    ...(autoscaler === 'hpa' ? [horizontalAutoscaler(options)] : []),
    ...(autoscaler === 'keda' ? [scaledObject(options)] : []),
  ];
}

const labelsOf = (name: string) => ({
  'app.kubernetes.io/name': 'operant-serve',
  'app.kubernetes.io/instance': name,
});

function deployment(options: ManifestOptions): Manifest {
  const { name, replicas, autoscaler, claim } = options;
  const labels = labelsOf(name);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels },
    spec: {
      ...(autoscaler === 'none' && { replicas }), // else each apply would undo what the autoscaler did
      selector: { matchLabels: labels },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: GRACE_SECONDS,
          automountServiceAccountToken: false,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: USER,
            fsGroup: USER,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'kubernetes.io/hostname',
              whenUnsatisfiable: 'ScheduleAnyway',
              labelSelector: { matchLabels: labels },
            },
          ],
          containers: [container(options)],
          ...(claim !== null && {
            volumes: [{ name: 'models', persistentVolumeClaim: { claimName: claim, readOnly: true } }],
          }),
        },
      },
    },
  };
}

function container({ image, args, tokenSecret, claim, cpu, memory }: ManifestOptions): Manifest {
  const listening = ['--host', '0.0.0.0', '--port', `${PORT}`, '--admin-port', `${ADMIN_PORT}`];
  const probe = (path: string, more: Manifest) => ({ httpGet: { path, port: 'http' }, ...more });
  return {
    name: 'serve',
    image,
    command: ['operant', 'serve'], // whatever the image's own entry point is
    args: [...args, ...listening, '--admin-host', '0.0.0.0'],
    env: [{ name: 'OPERANT_SERVE_TOKEN', valueFrom: { secretKeyRef: { name: tokenSecret, key: 'token' } } }],
    ports: [
      { name: 'http', containerPort: PORT },
      { name: 'admin', containerPort: ADMIN_PORT },
    ],
    startupProbe: probe('/health/ready', { periodSeconds: 1, failureThreshold: 120 }),
    readinessProbe: probe('/health/ready', { periodSeconds: 5, timeoutSeconds: 2 }),
    livenessProbe: probe('/health/live', { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }),
    lifecycle: { preStop: { exec: { command: ['sleep', `${PRE_STOP_SECONDS}`] } } },
    resources: { requests: { cpu, memory }, limits: { memory } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    ...(claim !== null && { volumeMounts: [{ name: 'models', mountPath: '/models', readOnly: true }] }),
  };
}

function service({ name, hasSessions }: ManifestOptions): Manifest {
  const labels = labelsOf(name);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels },
    spec: {
      selector: labels,
      ports: [{ name: 'http', port: 80, targetPort: 'http' }],
      ...(hasSessions && { sessionAffinity: 'ClientIP' }),
    },
  };
}

function disruptionBudget({ name }: ManifestOptions): Manifest {
  const labels = labelsOf(name);
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name, labels },
    spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
  };
}

const behavior = {
  scaleUp: { stabilizationWindowSeconds: UP_SECONDS },
  scaleDown: { stabilizationWindowSeconds: DOWN_SECONDS },
};

/** Wants an adapter that offers Prometheus' `operant_serve_in_flight` as a metric of pods. */
function horizontalAutoscaler({ name, replicas, maxReplicas, targetInFlight }: ManifestOptions): Manifest {
  const target = { type: 'AverageValue', averageValue: `${targetInFlight}` };
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name, labels: labelsOf(name) },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicas: replicas,
      maxReplicas,
      metrics: [{ type: 'Pods', pods: { metric: { name: 'operant_serve_in_flight' }, target } }],
      behavior,
    },
  };
}

function scaledObject({
  name,
  replicas,
  maxReplicas,
  targetInFlight,
  prometheus,
}: ManifestOptions): Manifest {
  const query = `sum(operant_serve_in_flight{pod=~"${name}-.*"})`;
  return {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name, labels: labelsOf(name) },
    spec: {
      scaleTargetRef: { name },
      minReplicaCount: replicas,
      maxReplicaCount: maxReplicas,
      advanced: { horizontalPodAutoscalerConfig: { behavior } },
      triggers: [
        {
          type: 'prometheus',
          metadata: { serverAddress: prometheus, query, threshold: `${targetInFlight}` },
        },
      ],
    },
  };
}
