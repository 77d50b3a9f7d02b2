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
/** What went wrong: `code` is the word to program against. */
export declare class AuthError extends Error {
    code: string;
    status: number;
    retryAfter: number;
    errors: Fault[];
    /**
     * @param {string} code the service's own; or `network_error` (no answer), `http_error` (an
     *   answer that is not the service's), `session_changed` (the request was made in a session
     *   that is over, and was not sent again in the next one)
     * @param {number} status the HTTP status; 0 without an answer
     * @param {string} message a sentence for people
     * @param {number} retryAfter seconds to wait before the next try, or 0
     * @param {Fault[]} errors what is wrong with which member, for `validation_failed`
     * @param {unknown} [cause]
     */
    constructor(code: string, status: number, message: string, retryAfter?: number, errors?: Fault[], cause?: unknown);
}
/**
 * A page's way to the service.
 *
 * @param {object} options
 * @param {string} options.baseUrl where the service is
 * @param {string[]} [options.origins] other origins that `fetch` sends the access token to
 */
export declare function createAuth({ baseUrl, origins }: {
    baseUrl: string;
    origins?: string[];
}): {
    /** Who is logged in, as far as this page knows. */
    readonly user: User | null;
    /**
     * Take up the session again when the page has loaded. Resolves to null where there is none.
     *
     * @returns {Promise<User | null>}
     */
    restore(): Promise<User | null>;
    /**
     * Make an account; it is not logged in by that.
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
    /** End this session. If it rejects, the session is still there. */
    logout(): Promise<void>;
    /** End every session of the account, this one too. */
    logoutEverywhere(): Promise<void>;
    /**
     * Every other session of the account ends.
     *
     * @param {string} current_password
     * @param {string} new_password
     * @returns {Promise<void>}
     */
    changePassword: (current_password: string, new_password: string) => Promise<void>;
    /**
     * The account and all that belongs to it is gone for good.
     *
     * @param {string} password
     */
    deleteAccount(password: string): Promise<void>;
    sessions: {
        /**
         * Where the account is logged in, newest first.
         *
         * @returns {Promise<Session[]>}
         */
        list: () => Promise<Session[]>;
        /** @param {string} id */
        revoke(id: string): Promise<void>;
    };
    /**
     * `fetch`, with the access token for the service and the listed origins; other origins get
     * the request as it is. Rejects with an AuthError if the token was stale and could not be
     * renewed. A body that is a stream cannot be sent twice: then the 401 is the answer.
     */
    fetch: (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>;
    /**
     * Be told whenever somebody else, or nobody, is logged in.
     *
     * @param {(user: User | null) => void} listener
     * @returns {() => void} ends it
     */
    onChange(listener: (user: User | null) => void): () => void;
};
