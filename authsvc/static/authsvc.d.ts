/// <reference lib="dom" />

// The types of authsvc.js. They need the types of a browser, and the line above asks for them.

/** The account, as the service described it at the last login or renewal. */
export type User = {
    id: string;
    email: string;
    /** RFC 3339, in UTC. */
    created_at: string;
    roles: string[];
    /** Whether the address was verified, by a link that was mailed to it. */
    emailVerified: boolean;
};

/** A login on one device. Times are RFC 3339, in UTC. */
export type Session = {
    id: string;
    created_at: string;
    expires_at: string;
    last_used_at: string;
    user_agent: string | null;
    ip_address: string | null;
    /** `key` if it can be refreshed only with a key that its browser keeps. */
    bound: "key" | null;
    /** Whether it is the session of this page. */
    current: boolean;
};

/** The codes of the service's errors. Its page /docs explains each. */
export type ServiceErrorCode =
    | "invalid_request"
    | "access_token_missing"
    | "access_token_invalid"
    | "access_token_expired"
    | "access_token_revoked"
    | "invalid_credentials"
    | "second_factor_required"
    | "token_invalid"
    | "password_required"
    | "reauthentication_required"
    | "refresh_token_missing"
    | "refresh_token_invalid"
    | "refresh_token_expired"
    | "refresh_token_revoked"
    | "dpop_proof_missing"
    | "dpop_proof_invalid"
    | "use_dpop_nonce"
    | "device_proof_missing"
    | "cross_origin_refused"
    | "wrong_password"
    | "wrong_code"
    | "credential_refused"
    | "device_proof_invalid"
    | "email_unverified"
    | "registration_closed"
    | "forbidden"
    | "not_found"
    | "method_not_allowed"
    | "email_taken"
    | "factor_exists"
    | "account_in_use"
    | "request_too_large"
    | "unsupported_media_type"
    | "validation_failed"
    | "rate_limited"
    | "internal_error"
    | "service_unavailable";

/**
 * All codes of an AuthError: the service's, and the module's own. `network_error`: there was no
 * response, or none in time. `http_error`: the response is not the service's, such as a proxy's
 * 502. `session_changed`: the session of the request has ended, and the request was not sent in the
 * next one. Of authsvc-factors.js: `cancelled` (the person closed the browser's prompt for a passkey,
 * or its time is over), `passkey_exists` (the device has a passkey of the account already) and
 * `passkey_failed` (the browser cannot use passkeys here; the error's `cause` says why).
 */
export type AuthErrorCode =
    | ServiceErrorCode
    | "network_error"
    | "http_error"
    | "session_changed"
    | "cancelled"
    | "passkey_exists"
    | "passkey_failed";

/** Why a field of a request is invalid, for pages that translate. */
export type FaultCode =
    | "missing"
    | "wrong_type"
    | "unknown_member"
    | "too_short"
    | "too_long"
    | "too_small"
    | "too_large"
    | "not_allowed"
    | "invalid_format"
    | "invalid_characters"
    | "invalid_email"
    | "breached"
    | "contains_email"
    | "invalid";

/** An invalid field of a request. */
export type Fault = {
    /** The field, as a JSON pointer (RFC 6901), such as `/password`. */
    pointer: string;
    code: FaultCode;
    /** A sentence for people, in English. */
    detail: string;
};

/** An error of the service or of the network: program against its `code`. */
export declare class AuthError extends Error {
    code: AuthErrorCode;
    /** The HTTP status; 0 without a response. */
    status: number;
    /** Seconds to wait before the next try, or 0. */
    retryAfter: number;
    /** The invalid fields, for `validation_failed`. */
    errors: Fault[];
    /** What the account accepts, for `second_factor_required`, if authsvc-factors.js is used. */
    methods?: ("totp" | "recovery_code" | "passkey")[];
    /** The service's problem as it sent it (RFC 9457), or what went wrong in the browser. */
    cause?: unknown;
    constructor(code: AuthErrorCode, status: number, message: string, retryAfter?: number, errors?: Fault[], cause?: unknown);
}

export type Options = {
    /** The service's URL. A relative one is resolved as the page's links are. */
    baseUrl: string;
    /** Other origins that `fetch` sends the access token to. */
    origins?: string[];
    /**
     * Milliseconds that each request of the module may take; 10,000 by default. `fetch` has no limit
     * besides its signal. Clients of one `baseUrl` share the latest value.
     */
    timeout?: number;
    /**
     * Bind the sessions that open here to a key of this browser: a copy of the cookie cannot be used
     * without it. Where the browser keeps no key, the session is not bound; see `bound`. In a service
     * worker, which must not use `import()`, give the module `authsvc/binding` instead of `true`.
     * Clients of one `baseUrl` share the latest value; `false` by default.
     */
    bind?: boolean | { withProofs: (state: object, send: typeof fetch) => typeof fetch };
};

/** Options of a single call. An abort rejects the call with the signal's reason. */
export type Calling = {
    signal?: AbortSignal;
};

/** Options of a registration. */
export type Registering = Calling & {
    /** The language of the account's mails, such as `de`, if the service has templates for it. */
    locale?: string;
};

/** A page's client of the service. */
export type Auth = {
    /** The user who is logged in, as far as this page knows. */
    readonly user: User | null;
    /** Whether the user is logged in; `unknown` until the service has answered once. */
    readonly status: "unknown" | "in" | "out";
    /**
     * Whether the current session was bound to the key of this browser when it opened; null if no user
     * is logged in.
     */
    readonly bound: boolean | null;
    /**
     * Resolves to the user, or to null, when the status is known for the first time, and never
     * rejects. It sends no request itself: call `restore`. On a server it resolves to null.
     */
    readonly ready: Promise<User | null>;
    /**
     * Ask the service for the session of this browser, as after the page has loaded. Resolves to the
     * user, or to null if there is no session; rejects if the service cannot be reached, and is then
     * repeated when the browser is online again. On a server it sends nothing and resolves to null.
     */
    restore(calling?: Calling): Promise<User | null>;
    /**
     * Ask again now, such as after the user's roles have changed: like `restore`, but an answer to an
     * earlier request does not count.
     */
    refresh(calling?: Calling): Promise<User | null>;
    /**
     * Return an access token that can be used for a while, or null if there is no session. For what
     * `fetch` does not do, such as WebSocket. Ask for it each time, and keep it nowhere.
     */
    token(calling?: Calling): Promise<string | null>;
    /**
     * Create an account; this does not log in. Resolves to null if the service requires a verified
     * address: the account is created when the link in the mail is used, with this password.
     */
    register(email: string, password: string, registering?: Registering): Promise<Pick<User, "id" | "email" | "created_at"> | null>;
    login(email: string, password: string, calling?: Calling): Promise<User>;
    /** End this session. If it rejects, the session may still be open. */
    logout(calling?: Calling): Promise<void>;
    /** End every session of the account, this one too. */
    logoutEverywhere(calling?: Calling): Promise<void>;
    /** Change the password; every session of the account ends, and a new one opens here. */
    changePassword(currentPassword: string, newPassword: string, calling?: Calling): Promise<void>;
    /** Mail a link for a new password, if there is an account with this address. */
    forgotPassword(email: string, calling?: Calling): Promise<void>;
    /**
     * Set a new password with the token of a link. Every session of the account ends, and none opens:
     * a page in which the account was logged in is logged out.
     */
    resetPassword(token: string, newPassword: string, calling?: Calling): Promise<void>;
    /** Mail the link that verifies this address again, if it is still to be verified. */
    resendVerification(email: string, calling?: Calling): Promise<void>;
    /**
     * Verify an address with the token of a link. Without a password it works if the account is logged
     * in in this browser, and rejects with `password_required` otherwise; the token stays good.
     */
    verifyEmail(token: string, password?: string, calling?: Calling): Promise<void>;
    /**
     * Mail a link to the new address; until it is used, nothing changes. Rejects with
     * `reauthentication_required` if the last login is too old: call `login`, and then this again.
     */
    changeEmail(email: string, calling?: Calling): Promise<void>;
    /** Change the address with the token of a link. */
    confirmEmailChange(token: string, calling?: Calling): Promise<void>;
    /** Delete the account and all its data for good. */
    deleteAccount(password: string, calling?: Calling): Promise<void>;
    sessions: {
        /** List the account's live sessions, newest first. */
        list(calling?: Calling): Promise<Session[]>;
        revoke(id: string, calling?: Calling): Promise<void>;
    };
    /**
     * `fetch` with the access token for the service and the listed origins; requests to other
     * origins, and those with an `Authorization` header, are not changed. Rejects with an AuthError if
     * the token was stale and could not be renewed. A body that is a stream cannot be sent twice: then
     * the response is the 401.
     */
    fetch: typeof globalThis.fetch;
    /**
     * Call a function when it becomes known whether a user is logged in, and whenever the user
     * changes (roles included); null means logged out.
     *
     * @returns a function that removes the listener
     */
    onChange(listener: (user: User | null) => void): () => void;
    /** For authsvc-factors.js. */
    readonly internal?: object;
    /**
     * Remove this client's listeners. When the last client of its `baseUrl` is closed, the access token
     * is forgotten, and the page follows the other tabs no longer.
     */
    close(): void;
};

/**
 * Return the token of the mail's link that opened the page, or null, and remove it from the address
 * bar and the history of the tab. The second call returns null.
 */
export declare function takeToken(): string | null;

/** Return a client of the service. All clients of one `baseUrl` share one session. */
export declare function createAuth(options: Options): Auth;
