import Testing

@testable import ApusPostgres

@Suite struct ViewColumnOriginTests {
    private func origins(_ tree: String) -> [ViewColumnOrigin] {
        Array(tree.utf8).withUnsafeBytes { ViewColumnOrigin.read(tree: $0) }
    }

    private func entry(
        _ column: Int, from table: Int, _ tableColumn: Int, isJunk: Bool = false, name: String = "id",
        expression: String = "{VAR :varno 3 :varattno 1 :location 37}"
    ) -> String {
        """
        {TARGETENTRY :expr \(expression) :resno \(column) :resname \(name) :ressortgroupref 0 \
        :resorigtbl \(table) :resorigcol \(tableColumn) :resjunk \(isJunk)}
        """
    }

    private func query(rangeTable: String = "<>", _ entries: String...) -> String {
        """
        ({QUERY :commandType 1 :cteList <> :rtable (\(rangeTable)) :jointree {FROMEXPR :fromlist \
        ({RANGETBLREF :rtindex 3}) :quals <>} :targetList (\(entries.joined(separator: " "))) :override 0 \
        :groupClause <>})
        """
    }

    @Test func readsColumnsInOrder() {
        let tree = query(entry(1, from: 16707, 1), entry(2, from: 16800, 3))
        #expect(
            origins(tree) == [
                ViewColumnOrigin(column: 1, table: 16707, tableColumn: 1),
                ViewColumnOrigin(column: 2, table: 16800, tableColumn: 3),
            ])
    }

    @Test func leavesOutComputedAndHiddenColumns() {
        let tree = query(entry(1, from: 0, 0), entry(2, from: 5, 1, isJunk: true), entry(3, from: 5, 2))
        #expect(origins(tree) == [ViewColumnOrigin(column: 3, table: 5, tableColumn: 2)])
    }

    @Test func looksPastSubqueries() {
        let inner = "{RANGETBLENTRY :subquery \(query(entry(9, from: 9, 9)).dropFirst().dropLast())}"
        let sublink = "{SUBLINK :subselect \(query(entry(8, from: 8, 8)).dropFirst().dropLast())}"
        let tree = query(
            rangeTable: inner, entry(1, from: 0, 0, expression: sublink), entry(2, from: 5, 2))
        #expect(origins(tree) == [ViewColumnOrigin(column: 2, table: 5, tableColumn: 2)])
    }

    @Test func namesCannotLookLikeStructure() {
        let name = #"a\ :resorigtbl\ 1\ \{\}\(\)\\"#
        let tree = query(entry(1, from: 7, 2, name: name), entry(2, from: 7, 3))
        #expect(origins(tree).map(\.tableColumn) == [2, 3])
    }

    @Test(arguments: [
        "", "<>", "(", "({QUERY", "({QUERY :targetList", "({QUERY :targetList <> :override 0})",
        "({QUERY :targetList ({TARGETENTRY :resno", #"({QUERY :targetList ({TARGETENTRY :resname a\"#, "))))",
    ])
    func brokenTreesGiveNothing(tree: String) {
        #expect(origins(tree).isEmpty)
    }
}
