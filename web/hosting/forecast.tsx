import { useRead } from '../api/use-read.ts';
import { ServerForecastDocument } from '../generated/graphql.ts';
import { Problem } from '../parts/problem.tsx';
import { money } from '../parts/words.ts';

/** What a month costs now, and with one server more. */
export function Forecast(order: { provider: string; region: string; size: string }) {
  const { data, told, read } = useRead(ServerForecastDocument, { variables: order });
  if (!data) return told ? <Problem told={told} retry={read} /> : <p role="status">Asking for the price…</p>;
  const { location, priceMonthly, ipv4PriceMonthly, currency, perMonthNow, perMonthThen, budget, fits } =
    data.serverForecast;
  return (
    <div role="status">
      <p>
        In {location}: at most <strong>{money(priceMonthly + ipv4PriceMonthly, currency)} a month</strong>,
        with its address.
      </p>
      <p>
        All servers: {money(perMonthNow, currency)} a month now, {money(perMonthThen, currency)} then
        {budget !== null && `, of a budget of ${money(budget, currency)}`}.
      </p>
      {!fits && (
        <p className="wrong">It does not fit into the budget. Raise the budget or remove a server first.</p>
      )}
    </div>
  );
}
