/** A run's hyperparameters as TensorBoard's HParams plugin reads them. */
import { bytesField, fixed64Field, summaryRecord, varintField } from './event-record.ts';

/** Numbers and booleans stay what they are, so that the plugin can sort by them. */
export type Hyperparameters = Readonly<Record<string, number | boolean | string>>;

/** Field numbers of Summary.Value, SummaryMetadata, PluginData, HParamsPluginData, SessionStartInfo and google.protobuf.Value. */
const VALUE_TAG = 1;
const VALUE_METADATA = 9;
const METADATA_PLUGIN = 1;
const PLUGIN_NAME = 1;
const PLUGIN_CONTENT = 2;
const HPARAMS_SESSION_START = 3;
const SESSION_HPARAMS = 1;
const SESSION_START_SECONDS = 5;
const NUMBER = 2;
const STRING = 3;
const BOOLEAN = 4;

/**
 * A record that begins a session. The plugin works out from all sessions of a log folder which hyperparameters and metrics there are.
 *
 * Source: TensorBoard's plugins/hparams/plugin_data.proto and api.proto; an event of its own, at step 0.
 */
export function hyperparametersRecord(wallTimeSeconds: number, hyperparameters: Hyperparameters): Buffer {
  const entries = Object.entries(hyperparameters).map(([name, value]) =>
    bytesField(
      SESSION_HPARAMS,
      Buffer.concat([bytesField(1, Buffer.from(name)), bytesField(2, encode(value))]),
    ),
  );
  const session = Buffer.concat([...entries, fixed64Field(SESSION_START_SECONDS, wallTimeSeconds)]);
  const plugin = Buffer.concat([
    bytesField(PLUGIN_NAME, Buffer.from('hparams')),
    bytesField(PLUGIN_CONTENT, bytesField(HPARAMS_SESSION_START, session)),
  ]);
  return summaryRecord(
    wallTimeSeconds,
    Buffer.concat([
      bytesField(VALUE_TAG, Buffer.from('_hparams_/session_start_info')),
      bytesField(VALUE_METADATA, bytesField(METADATA_PLUGIN, plugin)),
    ]),
  );
}

function encode(value: number | boolean | string): Buffer {
  if (typeof value === 'number') return fixed64Field(NUMBER, value);
  if (typeof value === 'boolean') return varintField(BOOLEAN, value ? 1 : 0);
  return bytesField(STRING, Buffer.from(value));
}
