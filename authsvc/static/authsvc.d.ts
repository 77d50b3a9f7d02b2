export type User = {
    id: string;
    email: string;
    created_at: string;
};
export type Session = {
    id: string;
    created_at: string;
    expires_at: string;
    last_used_at: string;
    user_agent: string | null;
    ip_address: string | null;
    current: boolean;
};
export type Fault = {
    pointer: string;
    detail: string;
};
export type Issued = {
    access_token: string;
    expires_in: number;
};
/** An error of the service or of the network: program against its `code`. */
export declare class AuthError extends Error {
    code: string;
    status: number;
    retryAfter: number;
    errors: Fault[];
    /**
     * @param {string} code the service's own, or `network_error` (no response), `http_error` (a
     *   response that is not the service's), `session_changed` (the session of the request has
     *   ended, and the request was not sent in the next one)
     * @param {number} status the HTTP status; 0 without a response
     * @param {string} message a sentence for people
     * @param {number} retryAfter seconds to wait before the next try, or 0
     * @param {Fault[]} errors the faults of each member, for `validation_failed`
     * @param {unknown} [cause]
     */
    constructor(code: string, status: number, message: string, retryAfter?: number, errors?: Fault[], cause?: unknown);
}
/**
 * Return a page's client of the service.
 *
 * @param {object} options
 * @param {string} options.baseUrl the service's URL
 * @param {string[]} [options.origins] other origins that `fetch` sends the access token to
 */
export declare function createAuth({ baseUrl, origins }: {
    baseUrl: string;
    origins?: string[];
}): {
    /** The user who is logged in, as far as this page knows. */
    readonly user: User | null;
    /**
     * Restore the session after the page has loaded. Resolves to null if there is none.
     *
     * @returns {Promise<User | null>}
     */
    restore(): Promise<User | null>;
    /**
     * Create an account; this does not log in.
     *
     * @param {string} email
     * @param {string} password
     * @returns {Promise<User>}
     */
    register: (email: string, password: string) => Promise<User>;
    /**
     * @param {string} email
     * @param {string} password
     * @returns {Promise<User>}
     */
    login(email: string, password: string): Promise<User>;
    /** End this session. If it rejects, the session is still open. */
    logout(): Promise<void>;
    /** End every session of the account, this one too. */
    logoutEverywhere(): Promise<void>;
    /**
     * Change the password; every session of the account ends, and a new one opens here.
     *
     * @param {string} current_password
     * @param {string} new_password
     */
    changePassword(current_password: string, new_password: string): Promise<void>;
    /**
     * Delete the account and all its data for good.
     *
     * @param {string} password
     */
    deleteAccount(password: string): Promise<void>;
    sessions: {
        /**
         * List the account's live sessions, newest first.
         *
         * @returns {Promise<Session[]>}
         */
        list: () => Promise<Session[]>;
        /** @param {string} id */
        revoke(id: string): Promise<void>;
    };
    /**
     * `fetch` with the access token for the service and the listed origins; requests to other
     * origins are not changed. Rejects with an AuthError if the token was stale and could not be
     * renewed. A body that is a stream cannot be sent twice: then the response is the 401.
     */
    fetch: (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>;
    /**
     * Call a function whenever the user changes; null means logged out.
     *
     * @param {(user: User | null) => void} listener
     * @returns {() => void} removes the listener
     */
    onChange(listener: (user: User | null) => void): () => void;
};
