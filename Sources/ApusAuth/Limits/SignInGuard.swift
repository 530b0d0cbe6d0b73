import ApusPostgres
import ApusSQL

/// Slows down who guesses passwords, and nobody else.
///
/// Wrong passwords are counted per account and address: after a few, the pair waits, twice as long each time, a quarter
/// of an hour at most. So somebody who guesses locks out themselves and not the owner, who comes from elsewhere. Many
/// addresses that guess at one account are counted together as well; that count does not hold for addresses from which
/// the account is signed in.
///
/// A try is counted before the password is looked at and given back when it was right, so that a thousand at once are
/// not all the first.
enum SignInGuard {
    /// Wrong passwords before the first wait.
    static let free = 10
    /// Seconds; the longest wait.
    static let longest = 900
    /// Wrong passwords an hour for one account, from addresses that it does not know.
    static let perAccount = 200

    /// Counts a try: a row when it may go on.
    ///
    /// `account` and `address` are pseudonyms.
    static func take(_ account: String, _ address: String) -> SQL {
        let wait: SQL =
            """
            case when f.tries < \(bind: free) then interval '0'
            else make_interval(secs => least(\(bind: longest)::float8, power(2, least(f.tries - \(bind: free), 20))))
            end
            """
        return """
            insert into auth.sign_in_tries as f (account, address, tries, waits_until)
            values (\(bind: account), \(bind: address), 1, clock_timestamp())
            on conflict (account, address) do update
            set tries = case when f.tried_at < clock_timestamp() - interval '1 hour' then 1 else f.tries + 1 end,
                tried_at = clock_timestamp(), waits_until = clock_timestamp() + \(wait)
            where f.waits_until <= clock_timestamp()
            returning 1
            """
    }

    /// Counts a try against all strangers of an account together: a row when it may go on.
    static func takeAsStranger(_ account: String, email: String?, phone: String?, _ address: String?) -> SQL {
        let limit = RateLimit("strangers", perAccount, per: 3600)
        guard let taking = limit.taking(account) else { return "select 1" }
        return """
            with known as (
                select from auth.sessions s join auth.users u on u.id = s.user_id
                where (u.email = \(bind: SQLValue(email)) or u.phone = \(bind: SQLValue(phone)))
                    and s.ip = \(bind: SQLValue(address))::inet limit 1),
            taken as (\(taking))
            select 1 where exists (select from known) or exists (select from taken)
            """
    }

    /// Gives the tries back: the password was right.
    static func release(_ account: String, _ address: String) -> SQL {
        "delete from auth.sign_in_tries where account = \(bind: account) and address = \(bind: address)"
    }
}
