import Testing

@testable import ApusPostgres

@Suite struct SettingChangeScanTests {
    @Test(arguments: [
        "select set_config('app.x', 'y', true)", "begin SET LOCAL role = 'x'; end", "set search_path to a",
        "begin perform 1; reset all; end", "if x then\n  set local a.b = 'c'; end if",
        "execute 'set local role ' || quote_ident(name)", "begin -- why\n set a.b = 1; end",
        "begin /* why */ discard plans; end", "update pg_catalog.PG_SETTINGS set setting = 'x'",
        "execute format('reset %I', name)", "<<label>> set a.b = 1",
    ])
    func findsWhatChangesASetting(text: String) {
        #expect(SettingChangeScan.mayChangeSettings(text))
    }

    @Test(arguments: [
        "update t set a = 1", "begin update t set a = 1; end",
        "insert into t values (1) on conflict do update set a = 2",
        "update \"t\" set a = 1", "select current_setting('a.b')", "select 1", "", "begin; -- set a\n end",
        "select offset, reset_at from t", "alter table t alter a set default 1", "/* set */ select 1",
        "update t as x\n  -- note\n  set a = 1",
    ])
    func leavesTheRestAlone(text: String) {
        #expect(!SettingChangeScan.mayChangeSettings(text))
    }
}
