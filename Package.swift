// swift-tools-version: 6.2
import PackageDescription

/// What every target of ours is built with: strict concurrency comes with language mode 6,
/// and an import is internal unless it says otherwise.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
]

let package = Package(
    name: "apus",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "apus", targets: ["apus"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-system", from: "1.5.0"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        // MARK: - System libraries
        .systemLibrary(
            name: "CLibPQ", pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"]), .brew(["libpq"])]),
        .systemLibrary(
            name: "CArgon2", pkgConfig: "libargon2",
            providers: [.apt(["libargon2-dev"]), .brew(["argon2"])]),
        .systemLibrary(
            name: "CSodium", pkgConfig: "libsodium",
            providers: [.apt(["libsodium-dev"]), .brew(["libsodium"])]),

        .systemLibrary(name: "CCrypt", providers: [.apt(["libcrypt-dev"])]),
        .systemLibrary(name: "CEpoll"),

        // MARK: - Words at the bottom
        .target(name: "ApusFaults", swiftSettings: strict),
        .target(name: "ApusJSON", swiftSettings: strict),
        .target(name: "ApusSQL", dependencies: ["ApusFaults"], swiftSettings: strict),
        .target(name: "ApusCatalog", dependencies: ["ApusFaults"], swiftSettings: strict),

        // MARK: - Pure: what a request means
        .target(
            name: "ApusPlanner", dependencies: ["ApusCatalog", "ApusFaults"],
            swiftSettings: strict),

        .target(
            name: "ApusOpenAPI", dependencies: ["ApusCatalog", "ApusJSON"], swiftSettings: strict),

        // MARK: - The database
        .target(
            name: "ApusPostgres",
            dependencies: [
                "CLibPQ", "ApusSQL", "ApusCatalog", "ApusFaults",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ], swiftSettings: strict),
        .target(
            name: "ApusDataAPI",
            dependencies: [
                "ApusPlanner", "ApusPostgres", "ApusSQL", "ApusCatalog", "ApusJSON",
                "ApusFaults", .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),

        // MARK: - Features
        .target(
            name: "ApusTokens",
            dependencies: [
                "ApusPostgres", "ApusJSON", "ApusFaults",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ], swiftSettings: strict),
        .target(
            name: "ApusMigrations",
            dependencies: [
                "ApusPostgres", "ApusSQL", "ApusFaults",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),
        .target(
            name: "ApusAuth",
            dependencies: [
                "CArgon2", "CSodium", "ApusOutbound", "ApusTokens", "ApusPostgres", "ApusSQL", "ApusJSON",
                "ApusFaults",
                .target(name: "CCrypt", condition: .when(platforms: [.linux])),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),
        .target(
            name: "ApusRealtime",
            dependencies: [
                "ApusPostgres", "ApusPlanner", "ApusCatalog", "ApusSQL", "ApusJSON", "ApusFaults",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ], swiftSettings: strict),
        .target(
            name: "ApusOutbound",
            dependencies: [
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ], swiftSettings: strict),
        .target(
            name: "ApusMessages",
            dependencies: [
                "ApusOutbound", "ApusPostgres", "ApusSQL", "ApusJSON", "ApusFaults",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Mustache", package: "swift-mustache"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ], swiftSettings: strict),
        .target(
            name: "ApusTelemetry",
            dependencies: [
                "ApusJSON", .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
            ], swiftSettings: strict),

        // MARK: - Edges
        .target(
            name: "ApusHTTP",
            dependencies: [
                "ApusFaults",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOExtras", package: "swift-nio-extras"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),
        .target(
            name: "ApusREST",
            dependencies: ["ApusDataAPI", "ApusPlanner", "ApusCatalog", "ApusJSON", "ApusFaults"],
            swiftSettings: strict),
        .target(
            name: "ApusEdge",
            dependencies: [
                "ApusHTTP", "ApusREST", "ApusOpenAPI", "ApusDataAPI", "ApusAuth", "ApusRealtime",
                "ApusMessages", "ApusTokens", "ApusTelemetry",
                "ApusPostgres", "ApusPlanner", "ApusCatalog", "ApusSQL", "ApusJSON", "ApusFaults",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
            ], swiftSettings: strict),

        // MARK: - The server and its command line
        .target(
            name: "ApusServer",
            dependencies: [
                "ApusEdge", "ApusHTTP", "ApusREST", "ApusDataAPI", "ApusAuth", "ApusTokens", "ApusMigrations",
                "ApusRealtime", "ApusMessages", "ApusOutbound",
                "ApusTelemetry", "ApusPostgres", "ApusPlanner", "ApusCatalog", "ApusOpenAPI",
                "ApusSQL", "ApusJSON", "ApusFaults",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ], swiftSettings: strict),
        .executableTarget(
            name: "apus",
            dependencies: [
                "ApusServer", "ApusFaults",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: strict,
            // Before the C library: what one thread takes another gives back, in pieces too large for its caches of a thread.
            linkerSettings: [.linkedLibrary(":libtcmalloc_minimal.so.4", .when(platforms: [.linux]))]),

        .executableTarget(
            name: "apus-load",
            dependencies: [
                "ApusPostgres", "ApusSQL", "CEpoll",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),

        // MARK: - Tests
        .target(name: "ApusTestSupport", path: "Tests/Support", swiftSettings: strict),
        .target(
            name: "ApusAuthTestSupport",
            dependencies: [
                "ApusTokens", "ApusJSON", .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ], path: "Tests/AuthSupport", swiftSettings: strict),
        .target(
            name: "ApusSpecimens",
            dependencies: [
                "ApusREST", "ApusDataAPI", "ApusPlanner", "ApusSQL", "ApusCatalog", "ApusJSON", "ApusFaults",
            ],
            path: "Tests/Specimens", swiftSettings: strict),
        .target(
            name: "ApusHTTPSpecimens",
            dependencies: [
                "ApusHTTP", .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Tests/HTTPSpecimens", swiftSettings: strict),
        .testTarget(
            name: "ApusCatalogTests", dependencies: ["ApusCatalog"], swiftSettings: strict),
        .testTarget(
            name: "ApusHTTPTests",
            dependencies: [
                "ApusHTTP", "ApusHTTPSpecimens", "ApusTestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ], swiftSettings: strict),
        .testTarget(
            name: "ApusPlannerTests", dependencies: ["ApusPlanner", "ApusCatalog", "ApusFaults"],
            swiftSettings: strict),
        .testTarget(
            name: "ApusPostgresTests",
            dependencies: [
                "ApusPostgres", "ApusCatalog", "ApusSQL", "ApusFaults", "ApusTestSupport", "CLibPQ",
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),
        .testTarget(
            name: "ApusDataAPITests",
            dependencies: [
                "ApusDataAPI", "ApusPlanner", "ApusPostgres", "ApusSQL", "ApusCatalog", "ApusFaults",
                "ApusTestSupport", .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),
        .testTarget(
            name: "ApusRESTTests",
            dependencies: [
                "ApusREST", "ApusDataAPI", "ApusPlanner", "ApusCatalog", "ApusFaults", "ApusSpecimens",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ApusMigrationsTests",
            dependencies: [
                "ApusMigrations", "ApusPostgres", "ApusSQL", "ApusFaults", "ApusTestSupport",
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),
        .testTarget(
            name: "ApusTokensTests",
            dependencies: [
                "ApusTokens", "ApusPostgres", "ApusJSON", "ApusFaults",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ], swiftSettings: strict),
        .testTarget(
            name: "ApusAuthTests",
            dependencies: [
                "ApusAuth", "ApusAuthTestSupport", "ApusTokens", "ApusJSON", "ApusFaults",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ], exclude: ["Passwords/common-passwords-sample.base64"], swiftSettings: strict),
        .testTarget(
            name: "ApusRealtimeTests",
            dependencies: [
                "ApusRealtime", "ApusMigrations", "ApusPostgres", "ApusPlanner", "ApusCatalog", "ApusSQL",
                "ApusJSON",
                "ApusFaults", "ApusTestSupport", .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ], swiftSettings: strict),
        .testTarget(
            name: "ApusMessagesTests",
            dependencies: [
                "ApusMessages", "ApusMigrations", "ApusPostgres", "ApusSQL", "ApusJSON", "ApusTestSupport",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ], swiftSettings: strict),
        .testTarget(
            name: "ApusOutboundTests",
            dependencies: [
                "ApusOutbound", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ], swiftSettings: strict),
        .testTarget(
            name: "ApusTelemetryTests",
            dependencies: [
                "ApusTelemetry",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
            ], swiftSettings: strict),
        .testTarget(
            name: "Features",
            dependencies: [
                "ApusServer", "ApusAuth", "ApusEdge", "ApusRealtime", "ApusHTTP", "ApusMigrations",
                "ApusPostgres",
                "ApusSQL",
                "ApusTokens", "ApusJSON", "ApusFaults", "ApusTestSupport", "ApusAuthTestSupport",
                "ApusSpecimens", "ApusREST",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ], path: "Tests/Features", swiftSettings: strict),
        .testTarget(
            name: "Process", dependencies: ["ApusTestSupport"], path: "Tests/Process",
            exclude: ["feed-network-cut"],
            swiftSettings: strict),
    ]
)

// The fuzzer is built by `make fuzz` alone: what it is to find its way through has to be compiled for it.
if Context.environment["APUS_FUZZ"] != nil {
    let watched = [
        "ApusFaults", "ApusJSON", "ApusSQL", "ApusCatalog", "ApusPlanner", "ApusDataAPI", "ApusREST",
        "ApusHTTP",
        "ApusSpecimens", "ApusHTTPSpecimens",
    ]
    for target in package.targets where watched.contains(target.name) {
        target.swiftSettings?.append(.unsafeFlags(["-sanitize=fuzzer"]))
    }
    package.targets.append(
        .executableTarget(
            name: "Fuzz", dependencies: ["ApusSpecimens", "ApusHTTPSpecimens"], path: "Tests/Fuzz",
            exclude: ["Corpus", "Framing", "framing.dict"],
            swiftSettings: strict + [.unsafeFlags(["-sanitize=fuzzer"])],
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]))
}
