const answerWithinMs = 20_000;

interface Answer {
  data?: { registration: 'OPEN' | 'CLOSED' } | null;
}

/** Whether who has no account may make one; not where the panel does not say so. */
export async function isRegistrationOpen(): Promise<boolean> {
  try {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: 'query Registration { registration }' }),
      signal: AbortSignal.timeout(answerWithinMs),
    });
    const { data } = (await response.json()) as Answer;
    return data?.registration === 'OPEN';
  } catch {
    return false;
  }
}
