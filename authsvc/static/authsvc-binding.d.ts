/// <reference lib="dom" />

/** For `bind`, where a page or a worker cannot load this module by `import()`. */
export declare const withProofs: (state: object, send: typeof fetch) => typeof fetch;
