/** Checks what one source (a section call, a file, the flags) sets: names first, then each value by itself. */
import { whyAbsent } from './absent-options.ts';
import { nearestName, plain } from './nearest.ts';
import { type Declarations, listOptions, type SectionDeclaration } from './option.ts';
import { conflict, type Problem, showValue } from './problems.ts';
import { isPlainObject } from './value-kind.ts';

/** Values by section and option; what is in it has passed its option's schema. */
export type CheckedLayer = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/**
 * Checks a config by section. An option set to undefined counts as not set.
 *
 * @param source where it comes from, for messages (`cartpole.json`, `the command line`); absent = not said.
 * @returns the usable values, copied, and every problem found.
 */
export function checkLayer(
  declarations: Declarations,
  input: unknown,
  source?: string,
): { readonly layer: CheckedLayer; readonly problems: readonly Problem[] } {
  const from = source === undefined ? '' : ` (from ${source})`;
  if (!isPlainObject(input)) {
    const message = `Expected a configuration to be an object of sections${from}, got ${showValue(input)}.`;
    return { layer: {}, problems: [{ code: 'CONFIG_TYPE', message }] };
  }
  const problems: Problem[] = [];
  const layer: Record<string, Record<string, unknown>> = {};
  for (const [section, values] of Object.entries(input)) {
    if (values === undefined) continue;
    if (!Object.hasOwn(declarations, section)) {
      problems.push(unknownSection(declarations, section, from));
    } else if (!isPlainObject(values)) {
      const message = `Expected section \`${section}\` to be an object of options${from}, got ${showValue(values)}.`;
      problems.push({ code: 'CONFIG_TYPE', message });
    } else {
      layer[section] = checkSection(declarations, section, values, from, problems);
    }
  }
  return { layer, problems };
}

function checkSection(
  declarations: Declarations,
  section: string,
  values: Readonly<Record<string, unknown>>,
  from: string,
  problems: Problem[],
): Record<string, unknown> {
  const options = declarations[section];
  const checked: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(options, name)) {
      problems.push(unknownOption(declarations, section, name, from));
      continue;
    }
    const { kind } = options[name];
    const result = kind.schema.safeParse(value);
    if (result.success) {
      checked[name] = typeof result.data === 'object' ? structuredClone(result.data) : result.data;
    } else {
      const code = result.error.issues.some(isTypeIssue) ? 'CONFIG_TYPE' : 'CONFIG_RANGE';
      const message = `Expected \`${name}\` to be ${kind.expects}, got ${showValue(value)}${from}.`;
      problems.push({ code, message });
    }
  }
  problems.push(...checkSynonyms(options, checked, from));
  return checked;
}

/** Two options that say the same must not both be set in one source, even if they agree. */
function checkSynonyms(
  options: SectionDeclaration,
  checked: Readonly<Record<string, unknown>>,
  from: string,
): readonly Problem[] {
  const isSet = (name: string) => checked[name] !== undefined && checked[name] !== null;
  return Object.keys(checked).flatMap((name) => {
    const others = (options[name].replaces ?? []).filter(
      (other) => other < name && isSet(other) && isSet(name),
    );
    return others.map((other) =>
      conflict(
        `${other} (${checked[other]}) and ${name} (${checked[name]}) say the same${from}: set only one of them.`,
      ),
    );
  });
}

/** A value of the right type with a wrong number or word fails a refinement or an enum; everything else is a wrong type. */
function isTypeIssue(issue: { readonly code: string; readonly input?: unknown }): boolean {
  return (
    issue.code === 'invalid_type' || issue.code === 'invalid_union' || issue.code === 'unrecognized_keys'
  );
}

function unknownSection(declarations: Declarations, section: string, from: string): Problem {
  const sections = Object.keys(declarations);
  const home = listOptions(declarations).find(({ name }) => name === section);
  const near = nearestName(section, sections);
  let hint = `Sections: ${sections.join(', ')}.`;
  if (near !== undefined) hint = `Did you mean \`${near}\`?`;
  if (home !== undefined) hint = `\`${section}\` is an option of section \`${home.section}\`.`;
  return { code: 'CONFIG_UNKNOWN', message: `Unknown section \`${section}\`${from}. ${hint}` };
}

function unknownOption(declarations: Declarations, section: string, name: string, from: string): Problem {
  const meant = findMeant(declarations, name, section);
  let hint = `Options of ${section}: ${Object.keys(declarations[section]).join(', ')}.`;
  if (meant?.section === section) hint = `Did you mean \`${meant.name}\`?`;
  else if (meant?.name === name) hint = `It is an option of section \`${meant.section}\`.`;
  else if (meant !== undefined) hint = `Did you mean \`${meant.name}\` of section \`${meant.section}\`?`;
  hint = whyAbsent(name) ?? hint;
  return {
    code: 'CONFIG_UNKNOWN',
    message: `Unknown option \`${name}\` in section \`${section}\`${from}. ${hint}`,
  };
}

/**
 * The option that an unknown name probably means: one that other libraries call so, else the nearest by spelling, options of
 * `section` first.
 */
export function findMeant(
  declarations: Declarations,
  given: string,
  section?: string,
): { readonly section: string; readonly name: string } | undefined {
  const all = listOptions(declarations);
  const ordered = [...all.filter((o) => o.section === section), ...all.filter((o) => o.section !== section)];
  const same = ordered.find(({ name, option }) =>
    [name, ...(option.alsoCalled ?? [])].some((known) => plain(known) === plain(given)),
  );
  if (same !== undefined) return same;
  const near = nearestName(
    given,
    ordered.map(({ name }) => name),
  );
  return ordered.find(({ name }) => name === near);
}
