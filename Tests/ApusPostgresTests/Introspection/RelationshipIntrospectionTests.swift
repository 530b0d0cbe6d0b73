import ApusCatalog
import Testing

@testable import ApusPostgres

/// Relationships are compared by a short text: source, cardinality, target, columns.
@Suite struct RelationshipIntrospectionTests {
    private static let orders = """
        create table customers (id int primary key, name text);
        create table orders (id int primary key, customer int references customers, x int);
        """

    private func texts(
        _ script: String, settings: CatalogSettings = CatalogSettings()
    ) async throws
        -> Set<String>
    {
        Set(try await readCatalog(script, settings: settings).relationships.values.joined().map(\.text))
    }

    @Test func foreignKeyInBothDirections() async throws {
        #expect(
            try await texts(Self.orders) == [
                "orders >- customers (customer=id)", "customers -< orders (id=customer)",
            ])
    }

    @Test func uniqueForeignKeyIsOneToOne() async throws {
        #expect(
            try await texts(
                """
                create table a (id int primary key, x int, y int, unique (x, y));
                create table b (id int primary key references a);
                create table c (id int primary key, y int, x int, unique (y, x),
                    foreign key (x, y) references a (x, y));
                create table d (a int references a);
                create unique index on d (a);
                """) == [
                    "b -- a (id=id)", "a =-- b (id=id)", "c -- a (x=x,y=y)", "a =-- c (x=x,y=y)",
                    // A unique index alone is no constraint, and the dialect looks at constraints.
                    "d >- a (a=id)", "a -< d (id=a)",
                ])
    }

    @Test func junctionNeedsBothKeysInItsPrimaryKey() async throws {
        let tables = """
            create table a (id int primary key);
            create table b (id int primary key);
            """
        let junction = try await texts(
            tables + "create table ab (a int references a, b int references b, n int, primary key (a, b, n));"
        )
        #expect(junction.contains("a >< b via ab (id=a|id=b)"))
        #expect(junction.contains("b >< a via ab (id=b|id=a)"))
        let none = try await texts(
            tables + "create table ab (a int references a, b int references b, n int primary key);")
        #expect(!none.contains { $0.contains("><") })
        #expect(!none.isEmpty)
    }

    @Test func selfReferences() async throws {
        let catalog = try await readCatalog("create table t (id int primary key, parent int references t);")
        let relationships = try #require(catalog.relationships[.public("t")])
        #expect(relationships.map(\.text) == ["t -< t (id=parent)", "t >- t (parent=id)"])
        #expect(relationships.allSatisfy { $0.isSelf })
    }

    @Test func throughViews() async throws {
        let texts = try await texts(
            Self.orders + """
                create view people as select name, id as number from customers;
                create view shop as select o.id, o.customer as buyer from orders o join customers c on true;
                create materialized view deep as select number from people;
                create view blind as select name from customers;
                create view sums as select id + 0 as id from customers;
                """)
        #expect(
            texts == [
                "orders >- customers (customer=id)", "customers -< orders (id=customer)",
                "orders >- people (customer=number)", "people -< orders (number=customer)",
                "orders >- deep (customer=number)", "deep -< orders (number=customer)",
                "shop >- customers (buyer=id)", "customers -< shop (id=buyer)",
                "shop >- people (buyer=number)", "people -< shop (number=buyer)",
                "shop >- deep (buyer=number)", "deep -< shop (number=buyer)",
            ])
    }

    @Test func columnThatAViewShowsTwice() async throws {
        let texts = try await texts(
            Self.orders + "create view twice as select customer as first, customer as second from orders;")
        #expect(texts.contains("twice >- customers (first=id)"))
        #expect(texts.contains("twice >- customers (second=id)"))
    }

    @Test func viewsOfHiddenTables() async throws {
        let script = """
            create schema hidden; create schema api;
            create table hidden.customers (id int primary key);
            create table hidden.orders (id int primary key, customer int references hidden.customers);
            create view hidden.middle as select id from hidden.customers;
            create view api.orders as select * from hidden.orders;
            create view api.people as select * from hidden.customers;
            create view api.far as select * from hidden.middle;
            """
        let direct: Set = ["orders >- people (customer=id)", "people -< orders (id=customer)"]
        #expect(try await texts(script, settings: CatalogSettings(schemas: ["api"])) == direct)
        #expect(
            try await texts(script, settings: CatalogSettings(schemas: ["api"], extraSearchPath: ["hidden"]))
                == direct.union(["orders >- far (customer=id)", "far -< orders (id=customer)"]))
    }

    @Test func junctionThroughViews() async throws {
        let catalog = try await readCatalog(
            """
            create schema api;
            create table a (id int primary key);
            create table b (id int primary key);
            create table ab (a int references a, b int references b, primary key (a, b));
            create view api.a as table a; create view api.b as table b; create view api.ab as table ab;
            """, settings: CatalogSettings(schemas: ["api"]))
        let found = try #require(
            catalog.relationships[QualifiedName("api", "a")]?.first { $0.target.name == "b" })
        #expect(found.text == "a >< b via ab (id=a|id=b)")
        #expect(found.sourceIsView && found.targetIsView)
    }

    @Test func partitionsAreHiddenBehindTheirTable() async throws {
        #expect(
            try await texts(
                """
                create table customers (id int primary key);
                create table orders (id int, customer int references customers, primary key (id))
                    partition by range (id);
                create table orders_1 partition of orders for values from (0) to (10);
                """) == ["orders >- customers (customer=id)", "customers -< orders (id=customer)"])
    }

    @Test func functionsAreRelationshipsAndTakeTheirNamesPlace() async throws {
        let catalog = try await readCatalog(
            Self.orders + """
                create function recent(customers) returns setof orders language sql stable
                    as 'select * from orders where customer = $1.id';
                create function newest(customers) returns setof orders rows 1 language sql stable
                    as 'select * from orders where customer = $1.id limit 1';
                create function customers(orders) returns setof customers rows 1 language sql stable
                    as 'select * from customers where id = $1.customer';
                create function label(customers) returns text language sql stable as 'select $1.name';
                """)
        #expect(catalog.relationships[.public("orders")]?.map(\.text) == ["orders f(customers)1 customers"])
        #expect(
            catalog.relationships[.public("customers")]?.map(\.text) == [
                "customers -< orders (id=customer)", "customers f(newest)1 orders",
                "customers f(recent)* orders",
            ])
    }
}

extension Relationship {
    fileprivate var text: String {
        func columns(_ pairs: [ColumnPair]) -> String {
            pairs.map { "\($0.source)=\($0.target)" }.joined(separator: ",")
        }
        let (from, to) = (source.name, target.name)
        return switch cardinality {
        case .manyToOne(_, let pairs): "\(from) >- \(to) (\(columns(pairs)))"
        case .oneToMany(_, let pairs): "\(from) -< \(to) (\(columns(pairs)))"
        case .oneToOne(_, let pairs, let isParent):
            "\(from) \(isParent ? "=" : "")-- \(to) (\(columns(pairs)))"
        case .manyToMany(let junction):
            """
            \(from) >< \(to) via \(junction.table.name) \
            (\(columns(junction.sourceColumns))|\(columns(junction.targetColumns)))
            """
        case .computed(let function, let returnsOne):
            "\(from) f(\(function.name))\(returnsOne ? "1" : "*") \(to)"
        }
    }
}
