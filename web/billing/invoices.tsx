import { useState } from 'react';

import { problemOf } from '../api/problem.ts';
import { usePages } from '../api/use-pages.ts';
import { InvoicesDocument } from '../generated/graphql.ts';
import { Listing } from '../parts/listing.tsx';
import { Status } from '../parts/status.tsx';
import { calendarDay } from '../parts/time.tsx';
import { minor } from '../parts/words.ts';

/** What was billed, newest first. */
export function Invoices() {
  const [warning, setWarning] = useState<string | null>(null);
  const { rows, error, hasMore, more, reload } = usePages(InvoicesDocument, {}, ({ invoices }) => {
    setWarning(invoices.warning);
    return invoices;
  });
  return (
    <>
      {warning && (
        <p role="status" className="wrong">
          {warning}
        </p>
      )}
      <Listing
        title="Invoices"
        rows={rows}
        told={error && problemOf(error)}
        retry={reload}
        more={hasMore ? more : undefined}
        empty="Nothing was billed yet. The first invoice comes with the first paid plan."
        keyOf={({ id }) => id}
        render={({
          number,
          date,
          periodStart,
          periodEnd,
          amountDue,
          amountCredited,
          currency,
          status,
          pdfUrl,
        }) => (
          <>
            <div>
              <Status of={status} /> <strong>{number ?? 'Without a number yet'}</strong>{' '}
              {minor(amountDue, currency)}
              {amountCredited > 0 && `, of which ${minor(amountCredited, currency)} were credited`}
              <p className="quiet">
                Of {calendarDay(date)}, for {calendarDay(periodStart)} to {calendarDay(periodEnd)}
              </p>
            </div>
            {pdfUrl && (
              <div className="actions">
                <a
                  href={pdfUrl}
                  target="_blank"
                  rel="noopener noreferrer"
                  aria-label={`PDF of ${number ?? 'it'}`}
                >
                  PDF
                </a>
              </div>
            )}
          </>
        )}
      />
    </>
  );
}
