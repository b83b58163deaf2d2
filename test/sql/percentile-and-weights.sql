begin read only;
set local role funes_admin;
set local hnsw.ef_search = 200;
set local hnsw.iterative_scan = relaxed_order;
set local hnsw.max_scan_tuples = 5000;
set local plan_cache_mode = force_custom_plan;
set local jit = off;
set local max_parallel_workers_per_gather = 0;

select
  query.n::text,
  hit.distance,
  hit.score,
  hit.parts,
  hit.basis,
  "memories"."id",
  "memories"."user_id",
  "memories"."content",
  "memories"."content_summary",
  "memories"."embedding_model",
  "memories"."embedding_source",
  "memories"."embedding_error",
  "memories"."source",
  "memories"."session_id",
  "memories"."importance_score",
  "memories"."metadata",
  "memories"."idempotency_key",
  "memories"."created_at",
  "memories"."updated_at",
  case
    when "memories"."embedding_error" is not null then 'FAILED'
    when "memories"."embedding" is null then 'PENDING'
    when (
      "memories"."embedding_source" = 'FUNES'
      and "memories"."embedding_model" <> (
        select
          coalesce(generation.next_embedding_model, generation.embedding_model)
        from
          "installation" as generation
        where
          generation.only
      )
    ) then 'STALE'
    else 'READY'
  end
from
  unnest($1::vector[], $2::text[]) with ordinality as query (vector, text, n)
  cross join lateral (
    with
      near as materialized (
        select
          *,
          row_number() over (
            order by
              distance,
              id
          ) as rank
        from
          (
            with
              near as materialized (
                select
                  "memories"."id",
                  "memories"."user_id",
                  "memories"."embedding" <=> query.vector as distance
                from
                  "memories"
                where
                  (
                    case
                      when "memories"."embedding_model" = $3 then 1
                    end
                  ) is not null
                order by
                  distance,
                  "memories"."id"
                limit
                  $4
              ),
              completed as materialized (
                select
                  *
                from
                  (
                    select
                      "memories"."id",
                      "memories"."user_id",
                      "memories"."embedding" <=> query.vector as distance
                    from
                      "memories"
                    where
                      (
                        (
                          case
                            when "memories"."embedding_model" = $5 then 1
                          end
                        ) is not null
                        and not (
                          select
                            count(*)
                          from
                            near
                        ) >= $6
                      )
                  ) candidate
                order by
                  distance + 0,
                  id
                limit
                  $7
              ) (
                select
                  *
                from
                  near
                where
                  (
                    select
                      count(*)
                    from
                      near
                  ) >= $8
                order by
                  distance,
                  id
                limit
                  $9
              )
            union all
            select
              *
            from
              completed
          ) near
      ),
      candidates as materialized (
        select
          "id",
          "user_id",
          min(round) as round
        from
          (
            select
              "id",
              "user_id",
              0::bigint as round
            from
              near
          ) found
        group by
          "id",
          "user_id"
      ),
      pool as materialized (
        select
          "id",
          "user_id",
          true as candidate,
          round
        from
          candidates
      ),
      features as materialized (
        select
          pool.*,
          row.*,
          0::float8 as bm25
        from
          pool
          cross join lateral (
            select
              (
                case
                  when "memories"."embedding_model" = $10 then "memories"."embedding"
                end
              ) <=> query.vector as distance,
              power(
                0.5::float8,
                least(
                  greatest(
                    extract(
                      epoch
                      from
                        now() - "memories"."created_at"
                    )::float8,
                    0
                  ) / (86400 * $11::float8),
                  1000
                )
              ) as recency,
              "memories"."importance_score" as importance
            from
              "memories"
            where
              (
                "memories"."id" = pool."id"
                and "memories"."user_id" = pool."user_id"
              )
            limit
              1
          ) row
      ),
      moments as materialized (
        select
          avg(
            distance
            order by
              "id",
              "user_id"
          ) as mean,
          stddev_pop(
            distance
            order by
              "id",
              "user_id"
          ) as spread,
          avg(
            bm25
            order by
              "id",
              "user_id"
          ) as word_mean,
          stddev_pop(
            bm25
            order by
              "id",
              "user_id"
          ) as word_spread
        from
          features
        where
          candidate
      ),
      based as materialized (
        select
          features.*,
          (1 - distance) as base
        from
          features
          cross join moments
      ),
      relevant as materialized (
        select
          based.*,
          null::float8 as lent
        from
          based
      ),
      scored as materialized (
        select
          *,
          (($12::float8 * (base + coalesce(lent, 0)) + $13::float8 * recency + $14::float8 * importance) / $15::float8) as score
        from
          relevant
        where
          coalesce(distance, 2) <= (
            select
              percentile_cont($16::float8) within group (
                order by
                  distance
              )
            from
              features
            where
              candidate
          )
      )
    select
      "id",
      "user_id",
      coalesce(distance, 2) as distance,
      score,
      jsonb_build_object('keyword', null, 'context', lent, 'recency', recency, 'importance', importance) as parts,
      case
        when row_number() over (
          order by
            score desc,
            id
        ) = 1 then jsonb_build_object(
          'at',
          now(),
          'newest',
          jsonb_build_array(
            coalesce(
              (
                select
                  max("memories"."id")
                from
                  "memories"
              ),
              0
            )::text
          ),
          'words',
          null,
          'moments',
          (
            select
              jsonb_build_array(mean, spread, word_mean, word_spread)
            from
              moments
          ),
          'farthest',
          (
            select
              percentile_cont($17::float8) within group (
                order by
                  distance
              )
            from
              features
            where
              candidate
          ),
          'relevance',
          '[null, null]'::jsonb
        )
      end as basis
    from
      scored best
    order by
      score desc,
      id
    limit
      $18
  ) as hit
  inner join "memories" on (
    "memories"."id" = hit."id"
    and "memories"."user_id" = hit."user_id"
  )
where
  1 / (
    select
      (coalesce(embedding_model, $19) = $20)::int
    from
      installation
  ) = 1
order by
  query.n asc,
  hit.score desc,
  "memories"."id" asc;
