/** An HTTP answer, its body read. */
export interface Answer<Body = unknown> {
  status: number;
  headers: Headers;
  body: Body;
  text: string;
}

export interface Call {
  method?: string;
  token?: string | undefined;
  body?: unknown;
  /** A body sent as it is, with the content type given in `headers`. */
  rawBody?: string;
  headers?: Record<string, string>;
  /** Ends a request that is not answered. */
  signal?: AbortSignal;
}

/** One HTTP request to the panel, as a client makes it. */
export async function call<Body = unknown>(url: string, options: Call = {}): Promise<Answer<Body>> {
  const hasBody = options.body !== undefined;
  const response = await fetch(url, {
    method: options.method ?? (hasBody || options.rawBody !== undefined ? 'POST' : 'GET'),
    headers: {
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...(hasBody ? { 'content-type': 'application/json' } : {}),
      ...options.headers,
    },
    ...(hasBody ? { body: JSON.stringify(options.body) } : {}),
    ...(options.rawBody === undefined ? {} : { body: options.rawBody }),
    ...(options.signal ? { signal: options.signal } : {}),
    redirect: 'manual',
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: parse(text) as Body };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
