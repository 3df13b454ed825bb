/** The tensors of one recurrent cell. */

/**
 * Of a cell of H units that reads `inputs` numbers: `input [inputs, 4H]` (GRU: 3H), `state [H, 4H]`, `bias [4H]`, and for a GRU
 * `stateBias [3H]`; what the gates are: mlp-parameters.ts.
 */
export function cellShapes(
  name: string,
  { kind, size }: { readonly kind: 'lstm' | 'gru'; readonly size: number },
  inputs: number,
): { readonly name: string; readonly shape: readonly number[] }[] {
  const isLstm = kind === 'lstm';
  const gates = (isLstm ? 4 : 3) * size;
  const tensor = (part: string, ...shape: number[]) => ({ name: `${name}/${part}`, shape });
  const tensors = [tensor('input', inputs, gates), tensor('state', size, gates), tensor('bias', gates)];
  return isLstm ? tensors : [...tensors, tensor('stateBias', gates)];
}
