/** What the server offers, as an OpenAPI 3.1 document. */
import { operantVersion } from '../machine/operant-version.ts';

const text = { type: 'string' } as const;
const json = (schema: object) => ({ 'application/json': { schema } });
const error = {
  description: 'What is wrong',
  content: json({ type: 'object', required: ['error', 'code'], properties: { error: text, code: text } }),
};
const failures = Object.fromEntries(
  ['400', '401', '403', '404', '409', '413', '429', '500', '503', '504'].map((code) => [code, error]),
);

const ACT = {
  type: 'object',
  required: ['observation'],
  additionalProperties: false,
  properties: {
    observation: { description: 'As the environment gives it; arrays flat.' },
    actionMask: {
      type: 'array',
      items: { enum: [0, 1] },
      description: 'Where the policy was trained with masks.',
    },
    model: { ...text, description: 'May be left out where one is served.' },
    version: { ...text, description: 'Default: the default version.' },
    session: {
      ...text,
      maxLength: 256,
      description:
        'Who asks; a session stays on one side of a canary, and is an episode of a recurrent policy, which wants it.',
    },
    reset: {
      type: 'boolean',
      description: 'An episode begins: a recurrent policy forgets what it remembers of the session.',
    },
    end: { type: 'boolean', description: 'The episode is over with this step: its state is dropped.' },
    priority: { type: 'integer', minimum: 0, description: '1 is the most urgent; 0 = the default.' },
    timeoutMs: {
      type: 'number',
      exclusiveMinimum: 0,
      description: 'Longest wait; the server may have a shorter one.',
    },
  },
};

export function openApiDocument(): object {
  const get = (summary: string) => ({ get: { summary, responses: { 200: { description: 'OK' } } } });
  return {
    openapi: '3.1.0',
    info: { title: 'Policies served by Operant', version: operantVersion() },
    paths: {
      '/act': {
        post: {
          summary: 'The most likely action for one observation',
          requestBody: { required: true, content: json(ACT) },
          responses: {
            200: {
              description: 'The action, as the environment takes it',
              content: json({
                type: 'object',
                required: ['action', 'model', 'version'],
                properties: { action: {}, model: text, version: text },
              }),
            },
            ...failures,
          },
        },
      },
      '/models': get('Models and versions that are loaded'),
      '/health/live': get('Whether the process answers'),
      '/health/ready': get('Whether it takes requests: 503 while it closes'),
      '/v2': get('Open inference protocol, version 2: the server'),
      '/v2/models/{model}': get('Inputs and outputs of a model'),
      '/v2/models/{model}/infer': {
        post: {
          summary:
            'Actions for rows of flat observations: input `observation`, with masks `mask`; output `action`',
          requestBody: { required: true, content: json({ type: 'object', required: ['inputs'] }) },
          responses: { 200: { description: 'OK' }, ...failures },
        },
      },
    },
  };
}
