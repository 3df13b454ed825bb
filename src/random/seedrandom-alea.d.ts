/** The one generator of seedrandom that streams are made with; the package's types name only all of it. */
declare module 'seedrandom/lib/alea.js' {
  interface AleaState {
    readonly c: number;
    readonly s0: number;
    readonly s1: number;
    readonly s2: number;
  }
  function alea(seed: string, options: { readonly state: true }): (() => number) & { state(): AleaState };
  export = alea;
}
