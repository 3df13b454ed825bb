/** A warm start: another run's weights in a new run, which otherwise begins anew. What is asked for, and what came of it. */

/** What of a checkpoint is wanted. */
export interface WarmStartChoice {
  /** Networks by name (`actor`, `critic`, `q1`, ...); null = all that fit. */
  readonly networks: readonly string[] | null;
  /** Adam's moments and step counters, too. */
  readonly optimizer: boolean;
  /** Policies of this run and those of the checkpoint that they begin with; null = by name, and the checkpoint's only one for all. */
  readonly policies: Readonly<Record<string, string>> | null;
}

/** The same once it is known which policies the checkpoint has. */
export interface WarmStartSelection extends Pick<WarmStartChoice, 'networks' | 'optimizer'> {
  /** Policies of this run that take something, and those of the checkpoint that they take it from. */
  readonly sources: Readonly<Record<string, string>>;
}

/** Something of the new run, or of the checkpoint, that was left as it is. */
export interface LeftPart {
  /** A layer (`actor/head`), `observation statistics`, `optimizer of q`. */
  readonly name: string;
  /** For people: `[64, 2] in the checkpoint, [64, 3] here`. */
  readonly why: string;
}

/** What a state part takes of a checkpoint; `apply` puts it into effect and does not fail for anything that the content holds. */
export interface WarmStart {
  readonly taken: readonly string[];
  readonly left: readonly LeftPart[];
  apply(): void;
}

/** What a warm start came to. */
export interface WarmStartReport {
  /** Absolute path of the checkpoint. */
  readonly checkpoint: string;
  readonly taken: readonly string[];
  readonly left: readonly LeftPart[];
}
