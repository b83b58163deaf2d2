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
  to_json(hit.alike),
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
              ) <=> query.vector as distance
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
          (base + coalesce(lent, 0)) as score
        from
          relevant
        where
          true
      ),
      chosen as materialized (
        select
          "id",
          "user_id",
          coalesce(distance, 2) as distance,
          score,
          jsonb_build_object('keyword', null, 'context', lent, 'recency', null, 'importance', null) as parts
        from
          scored best
        order by
          score desc,
          id
        limit
          $11
      ),
      placed as materialized (
        select
          chosen.*,
          case
            when "memories"."embedding_model" = $12 then "memories"."embedding"
          end as embedding
        from
          chosen
          join "memories" using ("id", "user_id")
      )
    select
      placed.*,
      (
        select
          array_agg(
            coalesce(1 - (placed.embedding <=> other.embedding), 0)
            order by
              other.score desc,
              other.id
          )
        from
          placed other
      )::float8[] as alike
    from
      placed
  ) as hit
  inner join "memories" on (
    "memories"."id" = hit."id"
    and "memories"."user_id" = hit."user_id"
  )
where
  1 / (
    select
      (coalesce(embedding_model, $13) = $14)::int
    from
      installation
  ) = 1
order by
  query.n asc,
  hit.score desc,
  "memories"."id" asc;
