/** The iterations of the velocity solver as a WebAssembly module: what `iterateInScript` does, operation by operation. */
import { contactCode } from './contact-code.ts';
import { keep, openDraft, vary, write } from './draft.ts';
import { hingeCode } from './hinge-code.ts';
import { KEEP_EVERY, NUM_VELOCITY_ITERATIONS } from './settings.ts';
import { CONTACT_SIZE, CONTACTS_AT, HINGE_SIZE, HINGES_AT, KEPT_AT, MEMORY_SIZE } from './solver-layout.ts';
import {
  addInteger,
  and,
  type Code,
  I32,
  integer,
  isDifferent,
  isEqualInteger,
  isLessInteger,
  load,
  multiplyInteger,
  not,
  remainder,
  repeatWhile,
  store,
  subInteger,
  type Variables,
  variable,
  when,
  whenElse,
  writeModule,
} from './wasm.ts';

const PAGE = 65536;

/** `run(numHinges, numContacts, size)` over its `memory`: 180 times round all of them, `size` numbers of the state being in use. */
export function solverModule(): Uint8Array {
  const variables: Variables = { numParameters: 3, types: [] };
  const draft = openDraft(variables);
  const [numHinges, numContacts, size] = [0, 1, 2].map((k) => variable(k).get);
  const zero = integer(0);
  const hingesEnd = keep(draft, endOf(HINGES_AT, numHinges, HINGE_SIZE), I32);
  const contactsEnd = keep(draft, endOf(CONTACTS_AT, numContacts, CONTACT_SIZE), I32);
  const stateEnd = keep(draft, multiplyInteger(size, integer(8)), I32);
  const left = vary(draft, integer(NUM_VELOCITY_ITERATIONS), I32);
  const numDone = vary(draft, zero, I32);
  const keptAfter = vary(draft, zero, I32); // how many iterations; 0 = nothing is kept
  const isKept = vary(draft, zero, I32);
  const period = subInteger(numDone.get, keptAfter.get);
  const isTime = isEqualInteger(remainder(numDone.get, integer(KEEP_EVERY)), integer(1));
  write(
    draft,
    repeatWhile(
      isLessInteger(zero, left.get),
      overRecords(variables, HINGES_AT, hingesEnd, HINGE_SIZE, hingeCode),
      overRecords(variables, CONTACTS_AT, contactsEnd, CONTACT_SIZE, contactCode),
      left.set(subInteger(left.get, integer(1))),
      numDone.set(addInteger(numDone.get, integer(1))),
      isKept.set(zero),
      when(keptAfter.get, compareCode(variables, stateEnd, isKept.set)),
      whenElse(
        isKept.get,
        [...left.set(remainder(left.get, period)), ...keptAfter.set(zero)],
        when(isTime, keepCode(variables, stateEnd), keptAfter.set(numDone.get)),
      ),
    ),
  );
  return writeModule(variables, draft.lines, Math.ceil(MEMORY_SIZE / PAGE));
}

const endOf = (from: number, count: Code, size: number) =>
  addInteger(integer(from), multiplyInteger(count, integer(size)));

/** Does the same for all records, if there are any. */
function overRecords(
  variables: Variables,
  from: number,
  end: Code,
  size: number,
  codeOf: (variables: Variables, at: Code) => Code,
): Code {
  const draft = openDraft(variables);
  const at = vary(draft, integer(from), I32);
  const isLeft = isLessInteger(at.get, end);
  const next = at.set(addInteger(at.get, integer(size)));
  write(draft, when(isLeft, repeatWhile(isLeft, codeOf(variables, at.get), next)));
  return draft.lines;
}

/** Whether the state is the one that was kept. @param set what makes that known. */
function compareCode(variables: Variables, end: Code, set: (value: Code) => Code): Code {
  const draft = openDraft(variables);
  const at = vary(draft, integer(0), I32);
  const isOther = vary(draft, integer(0), I32);
  write(
    draft,
    repeatWhile(
      and(not(isOther.get), isLessInteger(at.get, end)),
      isOther.set(isDifferent(load(at.get), load(at.get, KEPT_AT / 8))),
      at.set(addInteger(at.get, integer(8))),
    ),
    set(not(isOther.get)),
  );
  return draft.lines;
}

function keepCode(variables: Variables, end: Code): Code {
  const draft = openDraft(variables);
  const at = vary(draft, integer(0), I32);
  const next = at.set(addInteger(at.get, integer(8)));
  write(draft, repeatWhile(isLessInteger(at.get, end), store(at.get, KEPT_AT / 8, load(at.get)), next));
  return draft.lines;
}
