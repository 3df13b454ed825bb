/** What a server tells its operator: one event with its fields. */
export type Log = (level: 'info' | 'error', event: string, fields: Readonly<Record<string, unknown>>) => void;
