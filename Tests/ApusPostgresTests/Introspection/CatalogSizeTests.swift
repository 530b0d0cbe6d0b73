import ApusCatalog
import Testing

@testable import ApusPostgres

@Suite struct CatalogSizeTests {
    /// Prints how long a thousand tables take; time is not asserted, for machines differ.
    @Test func aThousandTables() async throws {
        let script = """
            do $$
            begin
                for i in 1..1000 loop
                    execute format(
                        'create table t%s (id int primary key, parent int references t%s, a text default ''x'',
                            b varchar(40), c int not null, d timestamptz default now(), e jsonb, f boolean,
                            g numeric(10, 2), h uuid)', i, greatest(i - 1, 1));
                    execute format('create policy p on t%s using (id > %s)', i, i);
                end loop;
            end
            $$;
            analyze;
            """
        try await withDatabase(script) { database in
            for _ in 0..<3 {
                let clock = ContinuousClock()
                let start = clock.now
                let catalog = try await CatalogReader.read(
                    from: database, settings: CatalogSettings(readsTimezones: false))
                print("catalog of \(catalog.relations.count) tables: \(clock.now - start)")
                #expect(catalog.relations.count == 1_000)
                #expect(catalog.relationships.values.joined().count == 2_000)
                #expect(
                    catalog.relations.values.allSatisfy { $0.columns.count == 10 && $0.policies.count == 1 })
            }
        }
    }
}
